/**
 * A queue with a bound. When it is full the *oldest* item is dropped and counted, because in a live pipeline the newest
 * is worth most. `onDrop` says what was lost.
 */
export class BoundedQueue<T> {
  readonly #items: T[] = [];
  readonly #capacityCount: number;
  readonly #onDrop: ((item: T) => void) | undefined;
  #droppedCount = 0;

  constructor(capacityCount: number, onDrop?: (item: T) => void) {
    if (!(capacityCount >= 1)) throw new RangeError('capacityCount must be at least 1');
    this.#capacityCount = capacityCount;
    this.#onDrop = onDrop;
  }

  push(item: T): void {
    if (this.#items.length >= this.#capacityCount) {
      const lost = this.#items.shift() as T;
      this.#droppedCount += 1;
      this.#onDrop?.(lost);
    }
    this.#items.push(item);
  }

  shift(): T | undefined {
    return this.#items.shift();
  }

  get lengthCount(): number {
    return this.#items.length;
  }

  get droppedCount(): number {
    return this.#droppedCount;
  }
}
