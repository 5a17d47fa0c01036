// Keeps "3 minutes ago" and "in 2 hours" true between answers of the server, in its own words.
(() => {
  const EVERY_MS = 10000;
  const count = (number, unit) => `${number} ${unit}${number === 1 ? "" : "s"}`;

  const ago = (seconds) => {
    if (seconds < 10) return "just now";
    if (seconds < 60) return `${count(Math.floor(seconds), "second")} ago`;
    if (seconds < 3600) return `${count(Math.floor(seconds / 60), "minute")} ago`;
    return seconds < 86400 ? `${count(Math.floor(seconds / 3600), "hour")} ago` : null;
  };

  const left = (seconds) => {
    if (seconds <= 0) return "any moment now";
    const minutes = Math.ceil(seconds / 60);
    if (minutes < 60) return `in ${count(minutes, "minute")}`;
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `in ${count(hours, "hour")}` : `in ${count(Math.floor(hours / 24), "day")}`;
  };

  const tick = () => {
    for (const time of document.querySelectorAll("time[data-relative]")) {
      const past = (Date.now() - Date.parse(time.dateTime)) / 1000;
      const text = time.dataset.relative === "past" ? ago(past) : left(-past);
      if (text) time.textContent = text;
    }
  };

  // Dates that people plan by, in their own time zone, written as the server writes UTC.
  const format = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  const local = () => {
    for (const time of document.querySelectorAll("time[data-local]")) {
      time.textContent = new Date(time.dateTime).toLocaleString("en-GB", format);
    }
  };

  setInterval(tick, EVERY_MS);
  htmx.onLoad(() => {
    tick();
    local();
  });
})();
