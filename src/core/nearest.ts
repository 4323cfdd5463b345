/** The one of `known` that `word` is most likely a slip of, or undefined when none is near. */
export function nearestOf(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.floor(Math.max(word.length, 3) / 2) + 1;
  for (const candidate of known) {
    const [from, to] = [word.toLowerCase(), candidate.toLowerCase()];
    // `timeoutMs` for `queueTimeoutMs`, `se` for `serve`: far by letters, near by meaning.
    const begins = from.length >= 2 && to.startsWith(from);
    const part = begins || (from.length >= 3 && to.includes(from));
    const distance = part ? 1 : editDistance(from, to);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/**
 * How many letters must be added, dropped or changed (Levenshtein's distance), by one row of its
 * table at a time.
 */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const changed = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
