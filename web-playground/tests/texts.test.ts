// Every scenario and variant is spoken of, in both languages.

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { readScenario } from "../build/scenarios.ts";
import { readLabels, readTexts } from "../build/texts.ts";
import { en } from "../src/i18n/en.ts";
import { zh } from "../src/i18n/zh.ts";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const scenarios = readdirSync(path("../scenarios")).filter((file) => file.endsWith(".yaml")).map((file) => readScenario(path(`../scenarios/${file}`)));
const variantsOf = (scenario: (typeof scenarios)[number]) => (scenario.variants ?? []).map(({ name }) => name);

describe.each(["en", "zh"])("texts in %s", (language) => {
  const file = path(`../texts/${language}.yaml`);
  const [texts, labels] = [readTexts(file), readLabels(file)];

  test("are of the scenarios that there are", () => {
    expect(Object.keys(texts).sort()).toEqual(scenarios.map(({ name }) => name).sort());
    const chips = scenarios.flatMap((scenario) => ["base", ...variantsOf(scenario)].map((variant) => `${scenario.name}/${variant}`));
    expect(Object.keys(labels.chips).sort()).toEqual(chips.sort());
    expect(Object.keys(labels.tutorials)).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
  });

  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))("%s", (name, scenario) => {
    const text = texts[name];
    expect(text?.paragraphs.length).toBeGreaterThan(1);
    const opened = (text?.paragraphs ?? []).flat().flatMap((part) => (typeof part === "object" && "variant" in part ? [part.variant] : []));
    for (const variant of opened) expect(variantsOf(scenario), `{variant ${variant}}`).toContain(variant);
    for (const variant of scenario.variants ?? []) {
      const said = text?.variants[variant.name];
      expect(said?.title ?? variant.title, `${variant.name} has a title`).toBeTruthy();
      expect(said?.summary ?? variant.summary, `${variant.name} has a summary`).toBeTruthy();
      if (language === "zh") expect(said?.title && said.summary, `${variant.name} is translated`).toBeTruthy();
    }
    if (language === "zh") expect(text?.title && text.summary).toBeTruthy();
  });
});

describe("Chinese", () => {
  const texts = readTexts(path("../texts/zh.yaml"));
  const labels = readLabels(path("../texts/zh.yaml"));
  const all: (readonly [string, string])[] = [
    ...Object.entries(zh),
    ...Object.entries(labels.chips),
    ...Object.entries(labels.tutorials),
    ["policyOn", labels.policyOn],
    ...Object.entries(texts).flatMap(([name, { title, summary, paragraphs, variants }]) => [
      [name, title ?? ""] as const, [name, summary ?? ""] as const,
      ...paragraphs.map((parts) => [name, parts.map((part) => (typeof part === "string" ? part : "variant" in part ? ` ${part.variant} ` : part.code)).join("")] as const),
      ...Object.entries(variants).flatMap(([variant, each]) => [[`${name}/${variant}`, each.title ?? ""], [`${name}/${variant}`, each.summary ?? ""]] as const),
    ]),
  ];
  test("has the words of the page that English has, with the same values", () => {
    const values = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([value]) => value).sort();
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
    for (const [key, text] of Object.entries(en)) expect(values(zh[key as keyof typeof en]), key).toEqual(values(text));
  });
  test("is text", () => {
    for (const [key, text] of all) expect(typeof text, key).toBe("string");
  });
  test("sets a space between Han and Latin", () => {
    const Han = /\p{Script=Han}/u.source;
    const tight = new RegExp(`${Han}[A-Za-z0-9]|[A-Za-z0-9]${Han}`, "u");
    for (const [key, text] of all) expect(tight.exec(text)?.[0], `${key}: ${text}`).toBeUndefined();
  });
  test("has full-width punctuation", () => {
    const Han = /\p{Script=Han}/u.source;
    const half = new RegExp(`${Han}\\s?[,;:!?()]|[,;:!?()]\\s?${Han}|${Han}\\.(?!\\w)`, "u");
    for (const [key, text] of all) expect(half.exec(text.replace(/ [,.] /g, " "))?.[0], `${key}: ${text}`).toBeUndefined();
  });
});
