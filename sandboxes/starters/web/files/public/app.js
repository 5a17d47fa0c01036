const times = document.getElementById("times");

document.getElementById("count").addEventListener("click", () => {
  times.value = Number(times.value) + 1;
});
