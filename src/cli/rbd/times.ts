/** Times as the original prints them: by this machine's clock. */

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `Thu Jan  1 00:00:00 1970`. @param ms since 1970 */
export function ctime(ms: number): string {
  const at = new Date(ms);
  const two = (x: number) => String(x).padStart(2, "0");
  const day = String(at.getDate()).padStart(2);
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${DAYS[at.getDay()]} ${MONTHS[at.getMonth()]} ${day} ${clock} ${at.getFullYear()}`;
}

/** `2026-11-29 14:57:00`; "": never, the beginning of 1970. */
export function localTime(ms: number): string {
  if (Math.floor(ms / 1000) === 0) return "";
  const at = new Date(ms);
  const two = (x: number) => String(x).padStart(2, "0");
  const date = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(two).join("-");
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":")}`;
}

/** "": unknown, the beginning of 1970. */
export function ctimeIfKnown(ms: number): string {
  return Math.floor(ms / 1000) === 0 ? "" : ctime(ms);
}
