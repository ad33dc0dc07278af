/** Steps of a path in Kubernetes' notation: `spec.template.spec.containers[0].name`, `metadata.labels[a.b/c]`. */
export function stepsOf(path: string): (string | number)[] {
  const steps: (string | number)[] = [];
  for (const [, name, bracket] of path.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (name !== undefined) steps.push(name);
    else if (bracket !== undefined) steps.push(/^\d+$/.test(bracket) ? Number(bracket) : bracket);
  }
  return steps;
}

/** Which lines of one text the other does not have, by the longest common sequence of lines. */
export function ownLines(text: string[], other: string[]): boolean[] {
  const width = other.length + 1;
  const common = new Uint32Array((text.length + 1) * width);
  for (let row = text.length - 1; row >= 0; row -= 1) {
    for (let column = other.length - 1; column >= 0; column -= 1) {
      const at = row * width + column;
      common[at] = text[row] === other[column] ? (common[at + width + 1] ?? 0) + 1 : Math.max(common[at + width] ?? 0, common[at + 1] ?? 0);
    }
  }
  const own = text.map(() => true);
  for (let row = 0, column = 0; row < text.length && column < other.length;) {
    if (text[row] === other[column]) {
      own[row] = false;
      row += 1;
      column += 1;
    } else if ((common[(row + 1) * width + column] ?? 0) >= (common[row * width + column + 1] ?? 0)) row += 1;
    else column += 1;
  }
  return own;
}
