/**
 * The candidate that `typed` was most likely meant to be, or undefined when none is near: at most
 * two edits away, or a third of its length, or one that begins with what was typed.
 */
export function nearest(typed: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Infinity;
  for (const candidate of candidates) {
    const completes = typed.length >= 2 && candidate.startsWith(typed);
    const edits = completes ? 1 : editDistance(typed.toLowerCase(), candidate);
    if (edits < fewest && edits <= Math.max(2, candidate.length / 3) && edits < candidate.length) {
      best = candidate;
      fewest = edits;
    }
  }
  return best;
}

/** Levenshtein's distance: insertions, deletions and substitutions that make `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
