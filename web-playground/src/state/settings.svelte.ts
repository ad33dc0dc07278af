// What belongs to the person and the machine, not to the run: theme, language, network, the drawer.

import { words, type Language } from "../i18n/index.svelte.ts";
import { readPaint, type Paint } from "../draw/theme.ts";
import type { Store } from "./store.svelte.ts";

export type Theme = "light" | "dark";

class Settings {
  theme = $state<Theme>("light");
  paint = $state.raw<Paint>(readPaint());
  online = $state(navigator.onLine);
  drawer = $state(false);
  dialog = $state<"export" | "share" | "keys" | null>(null);
  /** Whether the page is part of another one. */
  embedded = $state(false);
  /** Whether the lanes are shown as a table as well. */
  table = $state(false);
  /** The Kubernetes version whose rules these are, once the worker has said it. */
  kubernetes = $state("1.37");

  /** Theme and language as they were left, or as the browser likes them. */
  async start(theme: Theme | null, language: Language | null): Promise<void> {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    this.setTheme(theme ?? (kept("theme") as Theme | null) ?? (dark.matches ? "dark" : "light"), false);
    const liked = navigator.language.startsWith("zh") ? "zh" : "en";
    await words.choose(language ?? (kept("language") as Language | null) ?? liked);
    addEventListener("online", () => (this.online = true));
    addEventListener("offline", () => (this.online = false));
  }

  setTheme(theme: Theme, keep = true): void {
    document.documentElement.dataset.theme = theme;
    this.theme = theme;
    this.paint = readPaint();
    if (keep) remember("theme", theme);
  }

  otherTheme(): void {
    this.setTheme(this.theme === "dark" ? "light" : "dark");
  }

  otherLanguage(): void {
    const language = words.language === "en" ? "zh" : "en";
    remember("language", language);
    void words.choose(language);
  }

  seed(store: Store): string {
    const { source } = store.a;
    return String(source?.seed ?? source?.document.seed ?? 1);
  }
}

/** What was kept; null in a browser that keeps nothing. */
export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`playground.${name}`);
  } catch {
    // A page without storage is as good as a first visit.
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`playground.${name}`, value);
  } catch {
    // The choice holds for this visit.
  }
}

export const settings = new Settings();
