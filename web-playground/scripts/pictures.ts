// Takes the pictures of docs/playground.md: `npm run build && npm run pictures`.

import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import type { Page } from "playwright-core";

import { launch, newPage, serve } from "../tests/browser.ts";

const folder = fileURLToPath(new URL("../../docs/playground", import.meta.url));
const COMPARED = "#a=pod-failure-policy-failjob/base&b=pod-failure-policy-failjob/policy-off&t=41&w=0,222";

interface Picture {
  name: string;
  hash: string;
  size: [number, number];
  scheme?: "light" | "dark";
  act?: (page: Page) => Promise<void>;
}

const pictures: Picture[] = [
  { name: "compare", hash: COMPARED, size: [1680, 1050] },
  { name: "compare-dark", hash: COMPARED, size: [1680, 1050], scheme: "dark" },
  { name: "break", hash: "#a=coarse-work-queue/base&t=16&w=0,60", size: [1440, 900], act: async (page) => {
    await page.getByTestId("break").getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Compare with the run before" }).click();
    await page.getByTestId("head-b").waitFor();
  } },
  { name: "indexes", hash: "#a=pod-failure-policy-failjob/base&view=indexes", size: [1440, 900], act: async (page) => {
    await page.getByTestId("paste").getByRole("textbox").fill(JSON.stringify(many()));
    await page.locator("[data-testid=indexes]").waitFor();
    await page.waitForFunction(() => document.querySelector(".hdr b")?.textContent === "render-frames", undefined, { timeout: 60_000 });
    await page.getByTestId("indexes").click({ position: { x: 420, y: 150 } });
  } },
  { name: "cronjob", hash: "#a=cron-hello/forbid&t=200&view=cronjob", size: [1440, 900] },
  { name: "own", hash: "#a=coarse-work-queue/base&t=5", size: [1440, 900], act: async (page) => {
    await page.getByTestId("paste").getByRole("textbox").fill("apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: mine\nspec:\n  completions: 4\n  parallelism: -2\n  template:\n    spec:\n      restartPolicy: Always\n      containers:\n      - name: main\n        image: busybox\n");
    await page.getByTestId("diagnostics").waitFor();
    await page.getByTestId("editor").locator(".cm-content").waitFor();
  } },
  { name: "narrow", hash: COMPARED, size: [360, 760] },
  { name: "narrow-zh", hash: `${COMPARED}&lang=zh`, size: [360, 760], scheme: "dark" },
];

/** An Indexed Job of a thousand frames, of which some fail. */
function many(): object {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "render", image: "renderer" }] } };
  return {
    name: "render-frames", title: "A thousand frames", until: "2h",
    cluster: { nodes: [{ name: "n", pods: 1000, cpu: "1000", memory: "1Ti" }], controller: { qps: 1000, burst: 1000 } },
    manifests: [{ apiVersion: "batch/v1", kind: "Job", metadata: { name: "render-frames" }, spec: {
      completions: 1000, parallelism: 60, completionMode: "Indexed", backoffLimitPerIndex: 2, maxFailedIndexes: 40, template } }],
    behaviours: [
      { matches: { probability: 0.03 }, script: [{ run: "20s" }, { exit: 1 }] },
      { matches: { probability: 0.5 }, script: [{ run: "60s" }] },
      { script: [{ run: "75s" }] },
    ],
  };
}

mkdirSync(folder, { recursive: true });
const wanted = process.env.PICTURES?.split(",");
const site = await serve();
const browser = await launch();
for (const { name, hash, size: [width, height], scheme = "light", act } of pictures) {
  if (wanted && !wanted.includes(name)) continue;
  const { page, errors } = await newPage(browser, { viewport: { width, height }, colorScheme: scheme });
  await page.addInitScript(() => localStorage.setItem("playground.toured", "yes"));
  await page.goto(`${site.address}${hash}`);
  await page.waitForFunction(() => document.body.dataset.opened !== undefined, undefined, { timeout: 60_000 });
  await page.waitForTimeout(500);
  await act?.(page);
  await page.waitForTimeout(900);
  await page.screenshot({ path: `${folder}/${name}.png` });
  if (errors.length > 0) console.error(name, errors);
  await page.context().close();
}
await browser.close();
await site.close();
