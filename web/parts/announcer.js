/** Says a sentence to those who listen to the page instead of seeing it. */
export function announce(sentence) {
  document.getElementById("announcer").textContent = sentence;
}
