// The built page behind a small server, and Chromium to look at it with.

import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";

import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const built = process.env.PLAYGROUND_OUT ?? fileURLToPath(new URL("../../target/playground", import.meta.url));
const ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const TYPES: Record<string, string> = {
  ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".svg": "image/svg+xml",
  ".json": "application/json", ".webmanifest": "application/manifest+json", ".bin": "application/octet-stream",
};

export interface Site {
  address: string;
  /** Bytes that were sent, compressed, by path. */
  sent: Map<string, number>;
  close(): Promise<void>;
}

/** Serves the built page with gzip, as web hosts do. */
export async function serve(): Promise<Site> {
  const sent = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://host").pathname));
    const file = join(built, path.endsWith("/") ? `${path}index.html` : path);
    if (!file.startsWith(built) || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-encoding": "gzip" });
    const zip = createGzip();
    zip.on("data", (bytes: Buffer) => sent.set(path, (sent.get(path) ?? 0) + bytes.length));
    createReadStream(file).pipe(zip).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { address: `http://127.0.0.1:${address.port}/`, sent, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

export async function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });
}

/** A page whose errors are kept. */
export async function newPage(browser: Browser, options: BrowserContextOptions = {}): Promise<{ page: Page; errors: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  return { page, errors };
}

/** The command, built natively, to compare with. */
export const native = process.env.JOBPOLICY ?? fileURLToPath(new URL("../../target/debug/jobpolicy", import.meta.url));

export interface Running {
  site: Site;
  browser: Browser;
  page: Page;
  errors: string[];
  stop(): Promise<void>;
}

/** A server, a browser, and a page that was here before: no tour. */
export async function start(options: BrowserContextOptions = {}): Promise<Running> {
  const site = await serve();
  const browser = await launch();
  const { page, errors } = await newPage(browser, options);
  await page.addInitScript(() => localStorage.setItem("playground.toured", "yes"));
  return {
    site, browser, page, errors,
    stop: async () => {
      await browser.close();
      await site.close();
    },
  };
}

/** Opens an address and waits until its run is there. */
export async function open({ page, site }: Running, hash: string): Promise<void> {
  const address = `${site.address}${hash}`;
  // Only what is behind `#` changes: then the page stays, as for a person who follows a link within it.
  if (page.url().startsWith(site.address)) {
    const wanted = await page.evaluate((fresh) => {
      document.body.dataset.opened = "";
      history.replaceState(null, "", "#");
      location.hash = fresh;
      return location.hash;
    }, hash);
    await page.waitForFunction((each) => document.body.dataset.opened === each, wanted, { timeout: 30_000 });
    return;
  }
  await page.goto(address);
  await page.waitForFunction(() => document.body.dataset.opened !== undefined, undefined, { timeout: 30_000 });
}

/** The report that the page offers to download. */
export async function reportOf(page: Page): Promise<string> {
  await page.locator("header.bar button", { hasText: "Export" }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("report").click()]);
  const chunks: Buffer[] = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
  await page.keyboard.press("Escape");
  return Buffer.concat(chunks).toString("utf8");
}
