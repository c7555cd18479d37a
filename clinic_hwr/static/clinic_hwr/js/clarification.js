/** @file Recording a call: one press stores one call, and an answer is asked for only where there is one. */

const form = document.querySelector("form[data-call]");
document.querySelector("[data-problem]")?.focus();

if (form) {
  form.querySelector("[data-call-id]").value = crypto.randomUUID(); // sent twice, stored once
  const answered = form.querySelector("[data-answered]");
  const show = () => {
    const yes = form.elements.outcome.value === "answered";
    answered.hidden = !yes;
    for (const input of answered.querySelectorAll("textarea, input")) {
      input.required = yes;
      input.disabled = !yes;
    }
  };
  form.addEventListener("change", show);
  show();
}
