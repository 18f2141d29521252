/** The selected items of an ordered list, with the usual range selection. */
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
   * Select or deselect an item. With `isRange` the same applies to all items in `order` between the last one touched
   * and this one.
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
