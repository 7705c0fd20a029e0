// Sends the answer without a click; without this script the button does the same.
const form = document.getElementById("form_post");
if (form) form.submit();
