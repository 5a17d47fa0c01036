// A passkey that was refused, cancelled or not found is told to the person, not to the console.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const notices = document.getElementById("notices");
  const failed = document.getElementById("passkey-failed").content.cloneNode(true);
  notices.replaceChildren(failed);
});
