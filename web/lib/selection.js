/** Which of an ordered list of things are chosen, with ranges as lists have them everywhere. */
export class Selection {
  #chosen = new Set();
  #anchor = null;

  get size() {
    return this.#chosen.size;
  }

  has(id) {
    return this.#chosen.has(id);
  }

  /**
   * Chooses one or takes it back. With `isRange` all from the one that was touched last to this one in `order` follow it,
   * both included.
   */
  set(id, isChosen, { isRange = false, order = [] } = {}) {
    const ends = [order.indexOf(this.#anchor), order.indexOf(id)];
    const range = isRange && !ends.includes(-1) ? order.slice(Math.min(...ends), Math.max(...ends) + 1) : [id];
    for (const each of range) {
      if (isChosen) this.#chosen.add(each);
      else this.#chosen.delete(each);
    }
    this.#anchor = id;
  }

  addAll(ids) {
    for (const id of ids) this.#chosen.add(id);
  }

  drop(id) {
    this.#chosen.delete(id);
  }

  clear() {
    this.#chosen.clear();
    this.#anchor = null;
  }
}
