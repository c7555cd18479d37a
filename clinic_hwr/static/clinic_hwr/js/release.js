/** @file The pages with a signature: the focus starts where the hands go next, and one press signs once. */

const form = document.querySelector("form[data-sign]");
const refusals = document.querySelector("[data-refusals]");

if (refusals) refusals.focus();
else form?.querySelector("input[type=checkbox]:not(:checked), textarea, input[type=password]:not(:disabled)")?.focus();

form?.addEventListener("submit", (event) => {
  const button = event.submitter ?? form.querySelector("button[type=submit]");
  // after the form data are taken, so that a second press cannot send them again
  setTimeout(() => {
    button.disabled = true;
    button.textContent = "One moment…";
  });
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload(); // the back button must not show an old record
});
