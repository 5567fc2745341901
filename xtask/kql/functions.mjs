// Scalar functions of the executor: what the shipped transformations and the usual ones of users call.

import { createHash } from 'node:crypto';

import { pattern } from './comparisons.mjs';
import { Instant, Span, isNull, toBool, toDynamic, toGuid, toInstant, toLong, toReal, toText, unsupported } from './values.mjs';

const empty = value => isNull(value) || value === '';

/** A function that gives null as soon as one argument is null. */
const strict = compute => (...values) => values.some(isNull) ? null : compute(...values);

function substring(source, start, length) {
  if (start < 0 || length < 0) return unsupported('substring() with a negative number');
  return toText(source).slice(start, isNull(length) ? undefined : start + length);
}

function split(source, delimiter, index) {
  const parts = toText(source).split(delimiter);
  if (isNull(index)) return parts;
  return index >= 0 && index < parts.length ? [parts[index]] : unsupported('split() with an index outside of the parts');
}

function extract(regex, group, source) {
  const match = pattern(regex).exec(toText(source));
  return match?.[group] ?? '';
}

function replace(regex, rewrite, source) {
  return toText(source).replace(pattern(regex, 'g'), rewrite.replace(/\$/g, '$$$$').replace(/\\(\d)/g, '$$$1'));
}

function pack(...pairs) {
  const bag = {};
  for (let index = 0; index < pairs.length; index += 2) bag[toText(pairs[index])] = pairs[index + 1] ?? null;
  return bag;
}

function bin(value, size) {
  const wide = value instanceof Instant || value instanceof Span;
  if (!wide) return Math.floor(value / size) * size;
  if (!(size instanceof Span) || value.ticks < 0n) return unsupported('bin() of these values');
  const ticks = value.ticks - value.ticks % size.ticks;
  return value instanceof Instant ? new Instant(ticks) : new Span(ticks);
}

function gettype(value) {
  if (isNull(value)) return 'null';
  if (Array.isArray(value)) return 'array';
  return { string: 'string', boolean: 'bool' }[typeof value] ?? unsupported('gettype() of this value');
}

/** By name: (...values) -> value. `iff`, `case`, `now` and the like need more than values and stand in execute.mjs. */
export const FUNCTIONS = {
  tostring: toText, tolong: toLong, toint: toLong, toreal: toReal, todouble: toReal, tobool: toBool,
  todatetime: toInstant, toguid: toGuid, todynamic: toDynamic, parse_json: toDynamic,
  isempty: empty, isnotempty: value => !empty(value), isnull: value => isNull(value), isnotnull: value => !isNull(value),
  not: value => isNull(value) ? null : !toBool(value),
  strcat: (...parts) => parts.map(part => toText(part)).join(''),
  strcat_delim: (delimiter, ...parts) => parts.map(part => toText(part)).join(delimiter),
  strlen: value => [...toText(value)].length, tolower: value => toText(value).toLowerCase(), toupper: value => toText(value).toUpperCase(),
  substring, split, extract, replace, indexof: (source, part) => toText(source).indexOf(part),
  hash_sha256: value => createHash('sha256').update(toText(value)).digest('hex'),
  base64_encodestring: value => Buffer.from(toText(value)).toString('base64'),
  base64_decodestring: value => Buffer.from(toText(value), 'base64').toString(),
  pack, pack_array: (...values) => values.map(value => value ?? null),
  array_length: value => Array.isArray(value) ? value.length : null,
  abs: strict(Math.abs), floor: strict(bin), bin: strict(bin), ceiling: strict(Math.ceil), gettype,
};
