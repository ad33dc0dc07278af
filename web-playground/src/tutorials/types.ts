/** What is said beside the seven tutorials, in one language. Keys are `SCENARIO/VARIANT`. */
export interface TutorialTexts {
  /** Titles by number. */
  titles: Record<number, string>;
  /** A word or two for each choice. */
  chips: Record<string, string>;
  /** Some sentences for each choice; what is missing is taken from the scenario's file. */
  texts: Record<string, string>;
  /** Names of the two runs where they are seen beside each other. */
  on: string;
  off: string;
}
