/** Shared by the tests: returns a function that numbers its calls, `<prefix>1`, `<prefix>2`, ... */
export function counter(prefix) {
  let count = 0;
  return () => {
    count += 1;
    return `${prefix}${count}`;
  };
}
