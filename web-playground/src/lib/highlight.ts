/** A piece of a line of YAML: key, string, number, comment or the rest. */
export interface Piece {
  text: string;
  kind: "k" | "st" | "nu" | "co" | "";
}

/** Colours for a line of YAML as the page itself writes it. */
export function highlight(line: string): Piece[] {
  const found = /^(\s*(?:- )*)([\w./$"'-]+)(:)(\s.*|)$/.exec(line);
  if (!found) return line.trimStart().startsWith("#") ? [{ text: line, kind: "co" }] : [{ text: line, kind: "st" }];
  const [, lead = "", key = "", colon = "", value = ""] = found;
  const number = /^\s*(\[?\s*-?\d[\d.,\s]*\]?|true|false|null)$/.test(value);
  return [{ text: lead, kind: "" }, { text: key, kind: "k" }, { text: colon, kind: "" }, { text: value, kind: number ? "nu" : "st" }];
}
