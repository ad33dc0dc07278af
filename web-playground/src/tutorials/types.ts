// What is said about the tutorials in one language, as `texts/LANGUAGE.yaml` has it.

/** What is needed to choose a tutorial and a variant of it. */
export interface Labels {
  /** Titles of the tutorials by number. */
  tutorials: Record<string, string>;
  /** A word or two for each choice, by `SCENARIO/VARIANT`. */
  chips: Record<string, string>;
  /** What a run is called beside the same one without its policy. */
  policyOn: string;
}

/** A piece of a paragraph: plain text, code, or a button that opens a variant. */
export type Part = string | { code: string } | { variant: string };

interface Named {
  /** Null: as the scenario's file has it. */
  title: string | null;
  summary: string | null;
}
export interface ScenarioText extends Named {
  paragraphs: Part[][];
  variants: Record<string, Named>;
}
/** By the scenario's name. */
export type Texts = Record<string, ScenarioText>;
