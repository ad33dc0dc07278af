// Words of the page in the language that is chosen. English is always there; Chinese is loaded when it is wanted.

import { length as lengthWith } from "../lib/time.ts";
import { en, type Key } from "./en.ts";

export type Language = "en" | "zh";
export type { Key };

class Words {
  language = $state<Language>("en");
  #dictionary = $state.raw<Record<Key, string>>(en);

  async choose(language: Language): Promise<void> {
    this.#dictionary = language === "zh" ? (await import("./zh.ts")).zh : en;
    this.language = language;
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }

  say(key: Key, values: Record<string, string | number> = {}): string {
    return this.#dictionary[key].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  }
}

export const words = new Words();

/** The text of a key, its `{names}` filled in. */
export const t = (key: Key, values?: Record<string, string | number>): string => words.say(key, values);

/** A length of time in words: `9 min 12 s`. */
export const span = (seconds: number): string =>
  lengthWith(seconds, { d: t("unit.d"), h: t("unit.h"), min: t("unit.min"), s: t("unit.s") });
