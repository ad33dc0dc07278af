// Words of the page in the language that is chosen. English is always there; Chinese is loaded when it is wanted.

import englishLabels from "virtual:labels/en";

import { length as lengthWith } from "../lib/time.ts";
import type { Labels } from "../tutorials/types.ts";
import { en, type Key } from "./en.ts";

export type Language = "en" | "zh";
export type { Key };

class Words {
  language = $state<Language>("en");
  /** How the tutorials are called. */
  labels = $state.raw<Labels>(englishLabels);
  #dictionary = $state.raw<Record<Key, string>>(en);

  async choose(language: Language): Promise<void> {
    const [dictionary, labels] = language === "zh" ? await chinese() : [en, englishLabels];
    this.#dictionary = dictionary;
    this.labels = labels;
    this.language = language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }

  say(key: Key, values: Record<string, string | number> = {}): string {
    return this.#dictionary[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  }
}

async function chinese(): Promise<[Record<Key, string>, Labels]> {
  const [{ zh }, labels] = await Promise.all([import("./zh.ts"), import("virtual:labels/zh")]);
  return [zh, labels.default];
}

export const words = new Words();

/** The text of a key, its `{names}` filled in. */
export const t = (key: Key, values?: Record<string, string | number>): string => words.say(key, values);

/** A length of time in words: `9 min 12 s`. */
export const span = (seconds: number): string =>
  lengthWith(seconds, { d: t("unit.d"), h: t("unit.h"), min: t("unit.min"), s: t("unit.s") });
