/**
 * The few sentences the page itself says, per language. A missing key falls back to English.
 *
 * `{n}` is a number already written in the page's language, `{tag}` the hashtag, `{name}` a person.
 */

/** @type {Record<string, Record<string, string>>} */
const CATALOGUE = {
  en: {
    live: "Live",
    live_waiting: "Live · {n} new photos",
    live_selection: "Live · {n} new photos, showing a selection",
    not_collecting: "Not collecting photos now",
    reconnecting: "Reconnecting…",
    offline: "Offline · showing saved photos",
    catching_up: "Catching up",
    catching_up_waiting: "Catching up · {n} photos",
    paused: "Paused",
    paused_waiting: "Paused · {n} waiting",
    photo: "photo",
    photos: "photos",
    person: "person",
    people: "people",
    just_now: "just now",
    pause: "Pause",
    play: "Play",
    copied: "Copied",
    news_one: "New photo.",
    news_many: "{n} new photos.",
    newest_by: "Newest by {name}:",
    alike: "and {n} more like it",
    be_on_this_wall: "Be on this wall",
    join_how: "Post a public photo with {tag} or scan",
    first: "Your photo could be the first",
    step_take: "Take a photo",
    step_post: "Post it publicly with {tag}",
    step_look: "Look up — it appears here shortly",
    listening: "Listening for the first photo",
    scan: "Scan to join in",
    copy_tag: "Copy {tag}",
    share: "Share this wall",
  },
  ar: {
    live: "مباشر",
    live_waiting: "مباشر · {n} صورة جديدة",
    live_selection: "مباشر · {n} صورة جديدة، نعرض بعضها",
    not_collecting: "لا تُجمع صور جديدة الآن",
    reconnecting: "جارٍ إعادة الاتصال…",
    offline: "غير متصل · نعرض الصور المحفوظة",
    catching_up: "جارٍ اللحاق",
    catching_up_waiting: "جارٍ اللحاق · {n} صورة",
    paused: "متوقف مؤقتًا",
    paused_waiting: "متوقف مؤقتًا · {n} في الانتظار",
    photo: "صورة",
    photos: "صورة",
    person: "مشارك",
    people: "مشارك",
    just_now: "الآن",
    pause: "إيقاف مؤقت",
    play: "تشغيل",
    copied: "تم النسخ",
    news_one: "صورة جديدة.",
    news_many: "{n} صور جديدة.",
    newest_by: "الأحدث من {name}:",
    alike: "و{n} صور أخرى تشبهها",
    be_on_this_wall: "شارك على هذا الجدار",
    join_how: "انشر صورة عامة بالوسم {tag} أو امسح الرمز",
    first: "قد تكون صورتك هي الأولى",
    step_take: "التقط صورة",
    step_post: "انشرها للجميع بالوسم {tag}",
    step_look: "انظر إلى هنا، ستظهر بعد قليل",
    listening: "في انتظار الصورة الأولى",
    scan: "امسح الرمز للمشاركة",
    copy_tag: "انسخ {tag}",
    share: "شارك هذا الجدار",
  },
};

/**
 * @typedef {Object} Words
 * @property {string} lang
 * @property {(key: string, values?: Record<string, string | number>) => string} say
 * @property {(n: number) => string} number
 * @property {(n: number) => string} plus with its sign
 */

/** @param {string} lang BCP 47
 * @returns {Words}
 */
export function wordsIn(lang) {
  const own = CATALOGUE[lang.toLowerCase()] || CATALOGUE[lang.toLowerCase().split("-")[0]] || {};
  const numbers = new Intl.NumberFormat(lang);
  const signed = new Intl.NumberFormat(lang, { signDisplay: "always" });
  const number = (/** @type {number} */ n) => numbers.format(n);
  return {
    lang,
    number,
    plus: (n) => signed.format(n),
    say(key, values = {}) {
      const sentence = own[key] ?? CATALOGUE.en[key] ?? key;
      return sentence.replace(/\{(\w+)\}/g, (whole, name) => {
        const value = values[name];
        if (value === undefined) return whole;
        return typeof value === "number" ? number(value) : value;
      });
    },
  };
}
