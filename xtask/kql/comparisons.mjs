// The binary operators of an expression. Three-valued: null where Kusto says bool(null).

import { Instant, Span, isNull, toReal, toText, unsupported, wholeNumber } from './values.mjs';

const lower = value => toText(value).toLowerCase();

/** Both sides as the same thing: ticks, text, or a number. */
function alike(left, right) {
  if (left instanceof Instant && right instanceof Instant) return [left.ticks, right.ticks];
  if (left instanceof Span && right instanceof Span) return [left.ticks, right.ticks];
  const kinds = new Set([typeof left, typeof right]);
  if (kinds.size === 1 && !kinds.has('object')) return [left, right];
  if (kinds.has('number') && (kinds.has('boolean') || kinds.has('string'))) return [toReal(left), toReal(right)];
  return unsupported(`a comparison of ${typeof left} and ${typeof right}`);
}

function order(left, right) {
  const [a, b] = alike(left, right);
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

const equal = (left, right) => {
  if (isNull(left) || isNull(right)) return isNull(left) && isNull(right) ? null : false;
  return order(left, right) === 0;
};

const not = value => isNull(value) ? null : !value;
const ordered = test => (left, right) => isNull(left) || isNull(right) ? null : test(order(left, right));

/** `has`: the whole term. What counts as part of a term is certain for ASCII letters and digits only. */
function has(text, term) {
  if (!/^[A-Za-z0-9]+$/.test(term)) return unsupported(`has "${term}", which is not one term`);
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) {
    const around = (text[at - 1] ?? ' ') + (text[at + term.length] ?? ' ');
    if (/[_\u0080-\uffff]/.test(around)) return unsupported(`has "${term}" beside "${around}"`);
    if (!/[A-Za-z0-9]/.test(around)) return true;
  }
  return false;
}

/** A Kusto (RE2) pattern as JavaScript's; what the two read differently is refused. */
export function pattern(text, flags = '') {
  const ignoreCase = text.startsWith('(?i)');
  const rest = ignoreCase ? text.slice(4) : text;
  if (/\(\?(?!:)|\\[1-9pPAzQECD]|\[\[:/.test(rest)) return unsupported(`the pattern ${text}`);
  return new RegExp(rest, `u${flags}${ignoreCase ? 'i' : ''}`);
}

const add = (left, right) => {
  if (left instanceof Instant || right instanceof Instant) return new Instant(left.ticks + right.ticks);
  if (left instanceof Span && right instanceof Span) return new Span(left.ticks + right.ticks);
  return toReal(left) + toReal(right);
};

const subtract = (left, right) => {
  if (left instanceof Instant) return right instanceof Instant ? new Span(left.ticks - right.ticks) : new Instant(left.ticks - right.ticks);
  if (left instanceof Span && right instanceof Span) return new Span(left.ticks - right.ticks);
  return toReal(left) - toReal(right);
};

const divide = (left, right) => toReal(right) === 0 ? unsupported('a division by zero') : toReal(left) / toReal(right);

/** @param whole whether the language service says that the result is a long */
const arithmetic = compute => (left, right, whole) => {
  if (isNull(left) || isNull(right)) return null;
  const result = compute(left, right);
  return whole ? wholeNumber(Math.trunc(result)) : result;
};

const text = (test, fold) => (left, right) => test(fold(left), fold(right));
const within = (text, part) => text.includes(part);
const starts = (text, part) => text.startsWith(part);
const ends = (text, part) => text.endsWith(part);

const POSITIVE = {
  Equal: equal,
  EqualTilde: text((a, b) => a === b, lower),
  Contains: text(within, lower), ContainsCs: text(within, toText),
  Has: text(has, lower), HasCs: text(has, toText),
  StartsWith: text(starts, lower), StartsWithCs: text(starts, toText),
  EndsWith: text(ends, lower), EndsWithCs: text(ends, toText),
};

const NEGATIVE = { BangTilde: 'EqualTilde', NotContains: 'Contains', NotContainsCs: 'ContainsCs', NotHas: 'Has', NotHasCs: 'HasCs',
  NotStartsWith: 'StartsWith', NotStartsWithCs: 'StartsWithCs', NotEndsWith: 'EndsWith', NotEndsWithCs: 'EndsWithCs', NotEqual: 'Equal' };

/** By kind of node, without `Expression`: (left, right, whole) -> value. */
export const BINARY = {
  ...POSITIVE,
  ...Object.fromEntries(Object.entries(NEGATIVE).map(([name, opposite]) => [name, (left, right) => not(POSITIVE[opposite](left, right))])),
  MatchesRegex: (left, right) => pattern(right).test(toText(left)),
  LessThan: ordered(sign => sign < 0), LessThanOrEqual: ordered(sign => sign <= 0),
  GreaterThan: ordered(sign => sign > 0), GreaterThanOrEqual: ordered(sign => sign >= 0),
  Add: arithmetic(add), Subtract: arithmetic(subtract), Divide: arithmetic(divide),
  Multiply: arithmetic((left, right) => toReal(left) * toReal(right)),
};
