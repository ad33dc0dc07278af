// Texts of one's own: pasted, dropped, or a manifest that is edited. A text that is valid runs at once, or is explained.

import type { ExplainReport, KubeObject, ScenarioDocument } from "policy-wasm";

import { t } from "../i18n/index.svelte.ts";
import { stepsOf } from "../lib/fields.ts";
import { Refused } from "../lib/model.ts";
import { writeYaml } from "../lib/yaml.ts";
import type { TextPlace, TextRead } from "../worker/protocol.ts";
import { Stopped } from "./client.ts";
import { own } from "./sources.ts";
import { store } from "./store.svelte.ts";

export interface Diagnostic {
  from: number;
  to: number;
  severity: "error" | "warning" | "info";
  message: string;
  help?: string;
}

/** Milliseconds without typing after which a text is read. */
const QUIET = 350;
/** Kinds that the API server's rules are known of. */
const KNOWN = new Set(["Job", "CronJob"]);

export const TEMPLATE = `apiVersion: batch/v1
kind: Job
metadata:
  name: mine
spec:
  completions: 4
  parallelism: 2
  backoffLimit: 3
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: docker.io/library/busybox:1
        command: [sh, -c, sleep 20 && exit 0]
`;

class Own {
  /** Whether the editor is open. */
  editing = $state(false);
  text = $state("");
  diagnostics = $state.raw<Diagnostic[]>([]);
  /** What is shown is of an earlier text. */
  stale = $state(false);
  report = $state.raw<ExplainReport | null>(null);
  /** The scenario whose manifests are edited: all but those stays. */
  #base: ScenarioDocument | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #turn = 0;

  /** Opens the editor with a text; runs it when it is valid. */
  open(text: string, base: ScenarioDocument | null = null): void {
    this.#base = base;
    this.editing = true;
    this.text = text;
    void this.#readNow();
  }

  /** Opens the editor with the manifests that side A runs. */
  async edit(): Promise<void> {
    store.pause();
    const document = await store.client.call("exported", ["a"]);
    this.#base = document;
    this.text = writeYaml(document.manifests as unknown[]);
    this.diagnostics = [];
    this.stale = false;
    this.editing = true;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.editing = false;
    this.report = null;
    this.diagnostics = [];
    this.stale = false;
  }

  /** The text was changed by the person. */
  change(text: string): void {
    this.text = text;
    this.stale = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#readNow(), QUIET);
  }

  async #readNow(): Promise<void> {
    const turn = (this.#turn += 1);
    try {
      const read = await store.client.call("read", [this.text]);
      if (turn === this.#turn) await this.#take(read);
    } catch (error) {
      if (error instanceof Refused) this.diagnostics = error.problems.map(({ message }) => ({ from: 0, to: 1, severity: "error", message }));
      else if (!(error instanceof Stopped)) throw error;
    }
  }

  async #take(read: TextRead): Promise<void> {
    if (read.kind === "problems") {
      this.diagnostics = read.problems.map((problem) => ({ ...problem, severity: "error" }));
      return;
    }
    if (read.kind === "objects") return this.#explain(read.objects);
    this.report = null;
    if (read.kind === "scenario") return this.#run(read.document, []);
    const invalid = await this.#validate(read.objects, read.documents);
    this.diagnostics = invalid;
    if (invalid.some(({ severity }) => severity === "error")) return;
    const document = this.#base
      ? { ...this.#base, manifests: read.objects }
      : await store.client.call("scenarioOf", [read.objects]);
    await this.#run(document, read.documents);
  }

  /** What the API server would say, at the lines of which it speaks. */
  async #validate(objects: KubeObject[], documents: number[]): Promise<Diagnostic[]> {
    const found: (TextPlace & Omit<Diagnostic, "from" | "to">)[] = [];
    for (const [place, object] of objects.entries()) {
      if (!KNOWN.has(String(object.kind))) continue;
      const answer = await store.client.call("validate", [{ object }]);
      const document = documents[place] ?? 0;
      const add = (severity: Diagnostic["severity"], field: string, message: string) => found.push({ document, steps: stepsOf(field), severity, message });
      for (const { field, detail, type } of answer.errors) add("error", field, `${field}: ${detail || type}`);
      if (answer.decodeError) add("error", "", answer.decodeError);
      if (answer.strictErrors) add("warning", "", answer.strictErrors);
      for (const warning of answer.warnings ?? []) add("warning", warning.split(":")[0] ?? "", warning);
    }
    const ranges = await store.client.call("locate", [this.text, found]);
    return found.map(({ severity, message }, place) => ({ severity, message, ...(ranges[place] ?? { from: 0, to: 1 }) }));
  }

  async #run(document: ScenarioDocument, documents: number[]): Promise<void> {
    if (await store.show(own(document), null, 0)) {
      this.stale = false;
      return;
    }
    const { problems } = store.a;
    // Problems of manifests are shown at their lines, others above the timeline.
    const places = problems.map(({ steps }): TextPlace => (documents.length > 0 && steps[0] === "manifests"
      ? { document: documents[Number(steps[1])] ?? 0, steps: steps.slice(2) }
      : { document: 0, steps }));
    const ranges = await store.client.call("locate", [this.text, places]);
    this.diagnostics = problems.map(({ message, path, help }, place) => ({
      severity: "error", message: path ? `${path}: ${message}` : message, ...(help ? { help } : {}), ...(ranges[place] ?? { from: 0, to: 1 }),
    }));
  }

  async #explain(objects: KubeObject[]): Promise<void> {
    this.diagnostics = [];
    this.report = await store.client.call("explain", [{ objects, now: new Date().toISOString() }]);
    this.stale = false;
    store.pause();
  }
}

export const editor = new Own();
export const problemCount = (diagnostics: Diagnostic[]): string => {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  return errors === 1 ? t("manifest.problem") : t("manifest.problems", { n: errors });
};
