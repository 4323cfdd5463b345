/** The order within one priority: earliest deadline first, then arrival. */

/**
 * What waits in a `RequestQueue`. The queue keeps its own two numbers in the item, so that waiting
 * allocates nothing.
 */
export interface Queued {
  /**
   * Integer from `PRIORITY_MIN` to `PRIORITY_MAX`; higher goes first. Must not change while queued.
   */
  readonly priority: number;
  /**
   * Clock time after which it must not start, in ms; Infinity for never. Must not change while
   * queued.
   */
  readonly expiresAtMs: number;
  /** The queue's: where it stands, -1 when not queued. Begin with -1. */
  queueSlot: number;
  /** The queue's: number of its arrival, which breaks ties. Begin with anything, best 0. */
  queueOrder: number;
}

/**
 * A binary heap whose items know their slot. `push` is O(1) for items that come in deadline order,
 * as they do when all have the same timeout; everything else is O(log n) but `head`, which is O(1).
 */
export class DeadlineHeap<T extends Queued> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  /** The one with the earliest deadline. */
  get head(): T | undefined {
    return this.#items[0];
  }

  /** Puts in an item with its `queueOrder` set. */
  push(item: T): void {
    this.#items.push(item);
    this.#siftUp(item, this.#items.length - 1);
  }

  /** Whether it is this very item that stands in its slot. */
  has(item: T): boolean {
    // The comparison alone would do, but reading an array at -1 is slow.
    return item.queueSlot >= 0 && this.#items[item.queueSlot] === item;
  }

  /** Takes out an item that `has` knows and marks it as not queued. */
  remove(item: T): void {
    const slot = item.queueSlot;
    const last = this.#items.pop();
    item.queueSlot = -1;
    if (last === undefined || last === item) return;
    // The last one fills the gap; coming from another branch it may belong above it as well as
    // below.
    this.#siftDown(last, slot);
    if (last.queueSlot === slot) this.#siftUp(last, slot);
  }

  /** Empties the heap; all items, in order. O(n log n). */
  drain(): T[] {
    const items = this.#items.splice(0).sort((a, b) => (goesBefore(a, b) ? -1 : 1));
    for (const item of items) item.queueSlot = -1;
    return items;
  }

  /** Settles the item at `slot` or above. */
  #siftUp(item: T, slot: number): void {
    const items = this.#items;
    while (slot > 0) {
      const above = (slot - 1) >> 1;
      const parent = items[above];
      if (parent === undefined || !goesBefore(item, parent)) break;
      items[slot] = parent;
      parent.queueSlot = slot;
      slot = above;
    }
    items[slot] = item;
    item.queueSlot = slot;
  }

  /** Settles the item at `slot` or below. */
  #siftDown(item: T, slot: number): void {
    const items = this.#items;
    for (;;) {
      let below = 2 * slot + 1;
      let child = items[below];
      if (child === undefined) break;
      const sibling = items[below + 1];
      if (sibling !== undefined && goesBefore(sibling, child)) {
        below += 1;
        child = sibling;
      }
      if (!goesBefore(child, item)) break;
      items[slot] = child;
      child.queueSlot = slot;
      slot = below;
    }
    items[slot] = item;
    item.queueSlot = slot;
  }
}

function goesBefore(a: Queued, b: Queued): boolean {
  if (a.expiresAtMs !== b.expiresAtMs) return a.expiresAtMs < b.expiresAtMs;
  return a.queueOrder < b.queueOrder;
}
