/** What an assistant used in the last 30 days, as two charts with the table behind them. */
import { alertBox, element, formatNumber, freshId, svg } from "./dom.js";
import { valuesOf } from "./settings.js";

const DAYS = 30;
const DAY = 86_400_000;
const [HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [220, 52, 8, 14, 26];
/** A chart is as wide as its place, a phone's too, so that its axis and today are both in sight. */
const [NARROWEST, WIDEST, AROUND] = [260, 720, 64];

/** The days of the chart, in UTC as they are counted; those without a reply are zeros. */
export function fullDays(report, now) {
  const there = new Map(report.days.map((day) => [day.day, day]));
  return Array.from({ length: DAYS }, (_, index) => {
    const day = new Date(now - (DAYS - 1 - index) * DAY).toISOString().slice(0, 10);
    const counts = there.get(day) ?? {};
    return { day, requests: counts.requests ?? 0, failures: counts.failures ?? 0, prompt: counts.prompt_tokens ?? 0, completion: counts.completion_tokens ?? 0, estimated: counts.estimated_requests ?? 0 };
  });
}

/** A round number at or above the largest value, so that the axis can be read. */
export function ceiling(value) {
  if (value <= 4) return 4;
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 4, 5, 8, 10].map((factor) => factor * step).find((each) => each >= value);
}

function short(value) {
  return value >= 1e6 ? `${+(value / 1e6).toFixed(1)}M` : value >= 1e4 ? `${+(value / 1e3).toFixed(1)}k` : formatNumber(value);
}

const date = (day) => new Date(`${day}T00:00:00Z`).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

/** `parts` are `{name, kind, of}`, stacked from below. A limit far above the bars would make them vanish: it is told in words then. */
function chart({ title, days, parts, limit }) {
  const width = Math.min(Math.max(document.getElementById("main").clientWidth - AROUND, NARROWEST), WIDEST);
  const totals = days.map((day) => parts.reduce((sum, part) => sum + part.of(day), 0));
  const most = Math.max(...totals);
  const showsLimit = limit !== undefined && limit <= Math.max(most, 1) * 4;
  const top = ceiling(Math.max(most, showsLimit ? limit : 0));
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - value / top);
  const slot = (width - LEFT - RIGHT) / days.length;
  const bars = days.flatMap((day, index) => {
    let below = 0;
    return parts.map((part) => {
      const value = part.of(day);
      below += value;
      return value === 0 ? null : svg("rect", { class: part.kind, x: LEFT + index * slot + slot * 0.15, width: slot * 0.7, y: y(below), height: Math.max(y(below - value) - y(below), 1), rx: 1.5 },
        svg("title", {}, `${date(day.day)}: ${formatNumber(value)} ${part.name}`));
    });
  });
  const lines = [0, 0.25, 0.5, 0.75, 1].map((share) => svg("g", { class: "axis" },
    svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(top * share), y2: y(top * share) }),
    svg("text", { x: LEFT - 8, y: y(top * share) + 4, "text-anchor": "end" }, short(top * share))));
  // Today's ends with the chart, since half of it would be cut off where the days are narrow.
  const label = (day, index) => {
    const isLast = index === days.length - 1;
    return svg("text", { class: "day", x: isLast ? width - RIGHT : LEFT + (index + 0.5) * slot, y: HEIGHT - 6, "text-anchor": isLast ? "end" : "middle" }, date(day.day));
  };
  const apart = slot * 7 < 60 ? 14 : 7;
  const labels = days.map((day, index) => ((days.length - 1 - index) % apart === 0 ? label(day, index) : null));
  const line = showsLimit ? svg("g", { class: "limit" }, svg("line", { x1: LEFT, x2: width - RIGHT, y1: y(limit), y2: y(limit) }), svg("text", { x: width - RIGHT, y: y(limit) - 5, "text-anchor": "end" }, `limit ${short(limit)}`)) : null;
  const [titleId, aboutId] = [freshId("chart"), freshId("chart")];
  const about = `${DAYS} days, ${formatNumber(totals.reduce((sum, each) => sum + each, 0))} altogether, at most ${formatNumber(most)} on a day.${limit === undefined ? "" : ` The limit is ${formatNumber(limit)} a day.`}`;
  return svg("svg", { class: "chart", viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-labelledby": `${titleId} ${aboutId}` },
    svg("title", { id: titleId }, title), svg("desc", { id: aboutId }, about), lines.concat(bars, labels, line));
}

function panel(options) {
  const id = freshId("usage");
  const today = options.parts.reduce((sum, part) => sum + part.of(options.days.at(-1)), 0);
  const rest = options.limit === undefined ? "No daily limit is set." : `${formatNumber(Math.max(options.limit - today, 0))} of ${formatNumber(options.limit)} are left today.`;
  const legend = options.parts.length > 1 ? element("ul", { class: "legend" }, options.parts.map((part) => element("li", {}, element("span", { class: `swatch ${part.kind}` }), part.name))) : null;
  return element("section", { class: "card", "aria-labelledby": id },
    element("div", { class: "card-head row-head" }, element("h2", { id }, options.title), legend),
    element("div", { class: "card-body" }, element("p", { class: "figures" }, element("strong", {}, formatNumber(today)), ` today (UTC). ${rest}`), chart(options)));
}

const COLUMNS = [["Requests", "requests"], ["Failed", "failures"], ["Prompt tokens", "prompt"], ["Answer tokens", "completion"], ["Estimated", "estimated"]];

function table(days) {
  const head = element("tr", {}, element("th", { scope: "col" }, "Day (UTC)"), COLUMNS.map(([title]) => element("th", { scope: "col", class: "number" }, title)));
  const rows = days.toReversed().map((day) => element("tr", {}, element("th", { scope: "row" }, day.day), COLUMNS.map(([, key]) => element("td", { class: "number" }, formatNumber(day[key])))));
  return element("details", { class: "card pad" }, element("summary", {}, "The numbers as a table"),
    element("p", { class: "help" }, "“Estimated” are replies whose provider counted no tokens: four bytes count as one. Requests that were refused are counted nowhere."),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Usage by day" }, element("table", {}, element("thead", {}, head), element("tbody", {}, rows))));
}

export async function renderUsage(app) {
  const now = Date.now();
  const day = (time) => new Date(time).toISOString().slice(0, 10);
  let report;
  try {
    report = await app.api.usage(app.work.id, day(now - (DAYS - 1) * DAY), day(now));
  } catch (error) {
    if (error.status === 401) throw error;
    return alertBox(error.message);
  }
  const days = fullDays(report, now);
  const limits = valuesOf(app.work.base, ["requests_per_day", "tokens_per_day"]);
  return element("div", { class: "usage" },
    panel({ title: "Requests", days, parts: [{ name: "requests", kind: "first", of: (each) => each.requests }], limit: limits.requests_per_day }),
    panel({ title: "Tokens", days, limit: limits.tokens_per_day, parts: [{ name: "prompt tokens", kind: "second", of: (each) => each.prompt }, { name: "answer tokens", kind: "first", of: (each) => each.completion }] }),
    table(days));
}
