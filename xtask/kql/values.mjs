// Values of Kusto as the executor holds them, and the conversions between their types.
//
// string: a JS string, never null. bool, long, int, real: JS values or null. guid: lower-case text or null.
// datetime and timespan: Instant and Span, in ticks of 100 ns, or null. dynamic: what JSON.parse gives.
// Where Kusto's answer is not documented beyond doubt, the conversion throws: a golden row must never be a guess.

const TICKS = { millisecond: 10_000n, second: 10_000_000n, minute: 600_000_000n, hour: 36_000_000_000n, day: 864_000_000_000n };
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,7})\d*)?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/;

export class Unsupported extends Error {}

/** Stops an execution; the message says what cannot be executed here. */
export function unsupported(what) {
  throw new Unsupported(`${what} is not executed here`);
}

export class Instant {
  constructor(ticks) { this.ticks = ticks; }

  /** As tostring() writes it: seven digits behind the second. */
  toString() {
    const second = this.ticks / TICKS.second - (this.ticks % TICKS.second < 0n ? 1n : 0n);
    const fraction = String(this.ticks - second * TICKS.second).padStart(7, '0');
    return `${new Date(Number(second) * 1000).toISOString().slice(0, 19)}.${fraction}Z`;
  }

  toJSON() { return this.toString(); }
}

export class Span {
  constructor(ticks) { this.ticks = ticks; }

  static of(amount, unit) {
    return new Span(BigInt(Math.round(amount * Number(TICKS[unit]))));
  }

  toString() {
    const sign = this.ticks < 0n ? '-' : '';
    const ticks = this.ticks < 0n ? -this.ticks : this.ticks;
    const part = (unit, modulus) => String(ticks / TICKS[unit] % modulus).padStart(2, '0');
    const days = ticks / TICKS.day;
    const fraction = ticks % TICKS.second;
    return `${sign}${days ? `${days}.` : ''}${part('hour', 24n)}:${part('minute', 60n)}:${part('second', 60n)}${fraction ? `.${String(fraction).padStart(7, '0')}` : ''}`;
  }

  toJSON() { return this.toString(); }
}

export const isNull = value => value === null || value === undefined;

/** Unit names of datetime_add and the like, and suffixes of timespan literals. */
export function spanOf(amount, unit) {
  const name = { d: 'day', h: 'hour', m: 'minute', s: 'second', ms: 'millisecond' }[unit] ?? unit;
  return name in TICKS ? Span.of(amount, name) : unsupported(`a timespan in "${unit}"`);
}

export function toInstant(value) {
  if (value instanceof Instant || isNull(value) || value === '') return isNull(value) || value === '' ? null : value;
  if (typeof value !== 'string') return unsupported(`todatetime(${typeof value})`);
  const match = ISO.exec(value.trim());
  // Kusto reads more ways of writing a time than are documented.
  if (!match) return /\d/.test(value) ? unsupported(`todatetime("${value}")`) : null;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match;
  const shift = /^[+-]/.test(zone) ? zone.replace(/^([+-]\d\d):?(\d\d)$/, '$1:$2') : 'Z';
  const milliseconds = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${shift}`);
  const kept = new Date(Date.UTC(+year, +month - 1, +day)).getUTCDate() === +day;
  if (Number.isNaN(milliseconds) || !kept) return null;
  return new Instant(BigInt(milliseconds) * TICKS.millisecond + BigInt(fraction.padEnd(7, '0')));
}

export function toText(value, type = 'unknown') {
  if (isNull(value)) return '';
  if (typeof value === 'number') {
    if (type === 'real') return unsupported('the text of a real (convert it with tolong() first)');
    return String(value);
  }
  if (value instanceof Instant || value instanceof Span) return value.toString();
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

export function toReal(value) {
  if (isNull(value)) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return value;
  if (typeof value === 'string') return /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(value) ? Number(value) : null;
  return unsupported('toreal() of this type');
}

export function toLong(value) {
  if (typeof value === 'string') return /^\s*[+-]?\d+\s*$/.test(value) ? wholeNumber(Number(value)) : null;
  const number = toReal(value);
  return isNull(number) ? null : wholeNumber(Math.trunc(number));
}

/** Longs beyond 2^53 lose digits in a JS number. */
export function wholeNumber(number) {
  return Number.isSafeInteger(number) ? number : unsupported(`a long beyond 2^53 (${number})`);
}

export function toBool(value) {
  if (isNull(value) || typeof value === 'boolean') return value ?? null;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'string') {
    if (/^true$/i.test(value)) return true;
    if (/^false$/i.test(value)) return false;
    const number = toLong(value);
    return isNull(number) ? null : number !== 0;
  }
  return unsupported('tobool() of this type');
}

const GUID = /^\{?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})\}?$/i;

export function toGuid(value) {
  const match = GUID.exec(toText(value));
  return match ? match.slice(1).join('-').toLowerCase() : null;
}

export function toDynamic(value) {
  if (isNull(value) || value === '') return null;
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A value of the sender's JSON as the stream declares it; what does not fit becomes null, as at ingestion. */
export function declared(value, type) {
  switch (type) {
    case 'string': return typeof value === 'number' ? String(value) : toText(value);
    case 'long': case 'int': return typeof value === 'object' ? null : toLong(value);
    case 'real': case 'double': return typeof value === 'object' ? null : toReal(value);
    case 'bool': case 'boolean': return typeof value === 'object' ? null : toBool(value);
    case 'datetime': return typeof value === 'string' ? toInstant(value) : null;
    case 'guid': return toGuid(value);
    case 'dynamic': return value ?? null;
    default: return unsupported(`a stream column of type ${type}`);
  }
}
