// `jobpolicy playground`: the page from within the program.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { expect, test } from "vitest";

import { launch, native, newPage } from "./browser.ts";

test("the program serves the page on this machine, the page obeys its policy, and Ctrl-C ends it", async () => {
  const program = spawn(native, ["playground", "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const browser = await launch();
  try {
    const [address] = (await once(createInterface(program.stdout), "line")) as [string];
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const { page, errors } = await newPage(browser);
    const answer = await page.goto(address);
    expect(answer?.headers()["content-security-policy"]).toContain("default-src 'none'");
    await page.waitForFunction(() => document.body.dataset.opened !== undefined, undefined, { timeout: 30_000 });
    await page.locator("[data-testid=head-a]", { hasText: "/8" }).waitFor();
    // A breach of the policy is an error of the console.
    expect(errors).toEqual([]);
    program.kill("SIGINT");
    expect((await once(program, "exit"))[0]).toBe(0);
  } finally {
    program.kill("SIGKILL");
    await browser.close();
  }
}, 60_000);
