/** Announce a sentence to screen readers. */
export function announce(sentence) {
  document.getElementById("announcer").textContent = sentence;
}
