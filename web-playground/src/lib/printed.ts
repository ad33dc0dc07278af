// What `kubectl` prints, prepared to be shown: not more than a person reads, and what the other side does not print.

import type { KubectlOutput } from "../worker/protocol.ts";

/** Lines that are shown of one command. */
const MOST = 400;

export interface Line {
  text: string;
  /** The other side has no such line. */
  own: boolean;
}
export interface Printed {
  command: string;
  lines: Line[];
  /** Lines that are left out. */
  more: number;
}

const linesOf = ({ text }: KubectlOutput) => text.replace(/\n$/, "").split("\n");

/** A side's output; `other` is the other side's, null when there is only one. */
export function printedOf(outputs: KubectlOutput[], other: KubectlOutput[] | null): Printed[] {
  return outputs.map((output, place) => {
    const counterpart = other?.[place];
    const known = new Set(counterpart ? linesOf(counterpart).slice(0, MOST * 2) : []);
    const lines = linesOf(output);
    return {
      command: output.command,
      lines: lines.slice(0, MOST).map((text) => ({ text, own: other !== null && !known.has(text) })),
      more: Math.max(0, lines.length - MOST),
    };
  });
}
