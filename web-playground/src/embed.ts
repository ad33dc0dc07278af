// `<job-playground src="…">`: a playground in a page of documentation. It shows a share link, or a scenario file.
//
//   <script type="module" src="https://HOST/job-playground.js"></script>
//   <job-playground src="pi.yaml" variant="policy-off" compare="base" at="30" theme="dark" lang="zh" autoplay></job-playground>

import { packText } from "./state/pack.ts";

const HOME = new URL("./", import.meta.url);
const OBSERVED = ["src", "variant", "compare", "at", "theme", "lang", "height", "autoplay"];

class JobPlayground extends HTMLElement {
  static readonly observedAttributes = OBSERVED;
  #frame: HTMLIFrameElement | null = null;
  #turn = 0;

  connectedCallback(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(":host { display: block; height: 560px; } iframe { width: 100%; height: 100%; border: 0; border-radius: 10px; } p { font: 13px/1.5 system-ui, sans-serif; }");
    root.adoptedStyleSheets = [sheet];
    this.#frame = document.createElement("iframe");
    this.#frame.loading = "lazy";
    this.#frame.title = this.getAttribute("title") ?? "Job playground";
    this.#frame.allow = "clipboard-write";
    root.replaceChildren(this.#frame);
    void this.#show();
  }

  attributeChangedCallback(): void {
    if (this.#frame) void this.#show();
  }

  async #show(): Promise<void> {
    const turn = (this.#turn += 1);
    const height = this.getAttribute("height");
    if (height) this.style.height = /^\d+$/.test(height) ? `${height}px` : height;
    try {
      const hash = await this.#hash();
      if (turn !== this.#turn || !this.#frame) return;
      const address = new URL(HOME);
      address.hash = hash;
      // Of an address that differs only behind `#` the frame would not load again.
      this.#frame.src = address.href;
    } catch (error) {
      const message = document.createElement("p");
      message.setAttribute("role", "alert");
      message.textContent = `job-playground: ${error instanceof Error ? error.message : String(error)}`;
      this.shadowRoot?.replaceChildren(message);
      this.#frame = null;
    }
  }

  async #hash(): Promise<string> {
    const src = this.getAttribute("src") ?? "";
    const words = new URLSearchParams(src.includes("#") ? src.slice(src.indexOf("#") + 1) : "");
    if (src !== "" && !src.includes("#")) await this.#take(src, words);
    const copy = (attribute: string, word: string) => {
      const value = this.getAttribute(attribute);
      if (value !== null) words.set(word, value);
    };
    copy("at", "t");
    copy("theme", "theme");
    copy("lang", "lang");
    words.set("embed", "1");
    words.set("play", this.hasAttribute("autoplay") ? "1" : "0");
    return words.toString();
  }

  /** A file is fetched by the page that holds the element, under that page's rules; a bare name comes along. */
  async #take(src: string, words: URLSearchParams): Promise<void> {
    const variant = this.getAttribute("variant") ?? "base";
    const compare = this.getAttribute("compare");
    if (/^[a-z0-9-]+$/.test(src)) {
      words.set("a", `${src}/${variant}`);
      if (compare !== null) words.set("b", `${src}/${compare}`);
      return;
    }
    const response = await fetch(new URL(src, document.baseURI));
    if (!response.ok) throw new Error(`${src}: the server said ${response.status}`);
    words.set("y", await packText(await response.text()));
    if (variant !== "base") words.set("v", variant);
    if (compare !== null) words.set("c", compare);
  }
}

if (!customElements.get("job-playground")) customElements.define("job-playground", JobPlayground);
