// The conveniences that HTML has no words for. Pages work without them.

// <button data-copy="id" hidden>Copy</button> copies the text of the element with that id. Buttons that only work with
// a script are hidden until there is one. What becomes of a press is said aloud too.
function showButtons(root) {
  for (const button of root.querySelectorAll("[data-copy][hidden]")) {
    button.ariaLive = "polite"
    button.hidden = false
  }
}

async function copy(button) {
  const label = button.textContent
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim())
    button.textContent = "Copied"
  } catch {
    // Over http in a local network browsers let nobody write to the clipboard: the text is selected instead.
    getSelection().selectAllChildren(document.getElementById(button.dataset.copy))
    button.textContent = "Press Ctrl+C"
  }
  setTimeout(() => { button.textContent = label }, 2000)
}

document.addEventListener("click", event => {
  const button = event.target.closest("[data-copy]")
  if (button) copy(button)
})
document.addEventListener("htmx:after:swap", () => showButtons(document))
showButtons(document)

// While its answer is on the way a form is not sent again: a second click would make a key that nobody is shown, or show
// an error in place of the first one's answer. Those of htmx see to it themselves.
document.addEventListener("submit", event => {
  const form = event.target
  if (event.defaultPrevented || form.method !== "post") return
  if ("sent" in form.dataset) event.preventDefault()
  form.dataset.sent = ""
  setTimeout(() => { delete form.dataset.sent }, 3000)
})
