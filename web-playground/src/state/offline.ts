/** Keeps the page for use without a network, once it has nothing more urgent to do. */
export function keepOffline(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const register = () => void navigator.serviceWorker.register("./service-worker.js").catch((error: unknown) => {
    // Without it the page works as long as there is a network.
    console.info("the page is not kept for use without a network:", error);
  });
  const later = () => setTimeout(register, 2000);
  if (document.readyState === "complete") later();
  else addEventListener("load", later, { once: true });
}
