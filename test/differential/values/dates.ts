import fc from 'fast-check';
import { around } from './mutate.js';

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

const year = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 9999 }) },
  fc.constantFrom(0, 1, 4, 100, 400, 1582, 1600, 1752, 1900, 1970, 2000, 2024, 2026, 2038, 2100, 9999, 10000),
  fc.constantFrom(
    4712,
    4713,
    4714,
    4715,
    99999,
    290308,
    290309,
    290310,
    294246,
    294247,
    294248,
    294276,
    294277,
    5874897,
    5874898,
    5881580,
    5881581,
  ),
);
const month = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 12 }) }, fc.constantFrom(0, 2, 13, 99));
const day = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 1, max: 28 }) }, fc.constantFrom(0, 29, 30, 31, 32, 99));
const ERA = fc.oneof({ weight: 8, arbitrary: fc.constant('') }, fc.constantFrom(' BC', ' (BC)', ' AD', 'BC', ' bc'));

const date = fc.tuple(year, month, day, fc.integer({ min: 0, max: 9 })).map(([y, m, d, style]) => {
  if (style === 0) return `${y}-${m}-${d}`;
  if (style === 1) return `${pad(y, 4)}/${pad(m)}/${pad(d)}`;
  return `${pad(y, 4)}-${pad(m)}-${pad(d)}`;
});

const hour = fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 23 }) }, fc.constantFrom(0, 24, 25));
const minute = fc.oneof({ weight: 9, arbitrary: fc.nat({ max: 59 }) }, fc.constantFrom(0, 60));
const fraction = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 9 }).map((all) => `.${all.join('')}`),
  fc.constantFrom(
    '.',
    '.0',
    '.5',
    '.999999',
    '.9999994',
    '.9999995',
    '.9999999',
    '.1234565',
    '.1234575',
    '.0000005',
    '.000000500000001',
  ),
);
const time = fc.tuple(hour, minute, minute, fraction, fc.integer({ min: 0, max: 9 })).map(([h, m, s, f, style]) => {
  if (style === 0) return `${pad(h)}:${pad(m)}`;
  if (style === 1) return `${h}:${m}:${s}${f}`;
  return `${pad(h)}:${pad(m)}:${pad(s)}${f}`;
});

/** Offsets of the real world, just beyond it, and names of zones that jump. */
const OFFSET = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('', 'Z', '+00', '+01', '-05', '+02:00', '-08:00', '+05:30', '+0530', '-0330', '+14:00'),
  },
  fc.constantFrom(
    'z',
    ' Z',
    '+2',
    '-5',
    '+15:59',
    '-15:59',
    '+15:59:59',
    '+16:00',
    '+24:00',
    '+01:60',
    '+00:00:30',
    '+1:30',
    ' +01',
    ' +05:30',
    'UTC',
  ),
  fc.constantFrom(
    ' UTC',
    ' GMT',
    ' EST',
    ' PST',
    ' Europe/Berlin',
    ' America/New_York',
    ' Asia/Kolkata',
    ' Nowhere/City',
    ' CET',
    ' MSK',
    ' IST',
  ),
);
const DST = fc.constantFrom(
  ...[
    '2026-03-29 01:59:59',
    '2026-03-29 02:00:00',
    '2026-03-29 02:30:00',
    '2026-03-29 03:00:00',
    '2026-10-25 02:30:00',
    '2026-11-01 01:30:00',
  ],
);

const ODD_TIMES = fc.constantFrom(
  ...[
    '',
    'infinity',
    '-infinity',
    '+infinity',
    'INFINITY',
    'Infinity',
    'inf',
    '-inf',
    'epoch',
    'EPOCH',
    'now',
    'today',
    'tomorrow',
    'yesterday',
    'allballs',
    'NaN',
    'never',
    'null',
  ],
  ...[
    '20260102',
    '260102',
    '2026-01',
    '2026',
    '2026-W01-1',
    '2026-001',
    '2026.002',
    'J2461043',
    'Jan 2 2026',
    '2-Jan-2026',
    '2026-Jan-02',
    'January 2, 2026',
    'Fri 2026-01-02',
  ],
  ...[
    '02/03/2026',
    '2/3/26',
    '31.12.2026',
    '31-12-2026',
    '2026 01 02',
    '2026_01_02',
    '99-01-02',
    '1-2-3',
    '-2026-01-02',
    '+2026-01-02',
    '-0043-03-15',
    '0000-01-01',
    '02026-01-02',
  ],
  ...[
    '2026-01-02T',
    '2026-01-02 T10:00',
    '20260102T101112',
    '2026-01-02T10',
    '2026-01-02 10',
    '1767312000',
    '10:20:30 PM',
    '10:20 AM',
    '12:00 am',
    '10 PM',
    '101112',
    '1011',
    'T10:11:12',
  ],
  ...[
    '2026-01-02 10:20:30 PM',
    '2026-01-02 10:20:30 PST',
    '2026-01-02 or so',
    '2026-02-29',
    '2024-02-29',
    '1900-02-29',
    '2000-02-29',
    '2026-02-30',
    '2026-04-31',
    '2026-01-02--5',
  ],
  ...[
    '24:00',
    '24:00:00',
    '24:00:01',
    '24:00:00.000001',
    '23:59:60',
    '23:59:60.5',
    '23:60:00',
    '00:00',
    '0:0:0',
    '-00:00:01',
    '1:2',
    '1:2:3',
    '::',
    '10:20:',
    '10::30',
    '040506.789',
    '04:05:06 America/New_York',
  ],
  ...[
    '4714-11-24 BC',
    '4714-11-23 BC',
    '4713-01-01 BC',
    '0001-12-31 BC',
    '0044-03-15 BC',
    '0044-03-15 (BC)',
    '0005-02-29 BC',
    '0004-02-29 BC',
  ],
  ...[
    '294276-12-31 23:59:59.999999',
    '294277-01-01 00:00:00',
    '294247-01-10 04:00:54.775806',
    '294247-01-10 04:00:54.775807',
    '4714-11-24 00:00:00 BC',
    '4714-11-24 00:00:00+00 BC',
    '4714-11-23 23:59:59.999999 BC',
  ],
  ...[
    '0044-03-15 10:00:00 BC',
    '0044-03-15 (BC) 10:00:00',
    '0044-03-15 BC 10:00:00',
    '2026-01-02 24:00:00',
    '2026-12-31 23:59:59.9999999',
    '2026-12-31 23:59:60',
    '2026-12-31T23:59:59.9999995Z',
  ],
);

const ALPHABET = '0123456789-/:. TZBC+()aAdDpPmM,';

export const dates: fc.Arbitrary<string> = around(
  fc.oneof(
    { weight: 4, arbitrary: fc.tuple(date, ERA).map((parts) => parts.join('')) },
    fc.tuple(date, fc.constantFrom(' ', 'T'), time, OFFSET).map((parts) => parts.join('')),
    { weight: 2, arbitrary: ODD_TIMES },
  ),
  ALPHABET,
);

export const times: fc.Arbitrary<string> = around(
  fc.oneof(
    { weight: 4, arbitrary: time },
    fc.tuple(time, OFFSET).map((parts) => parts.join('')),
    fc.tuple(date, fc.constant(' '), time).map((parts) => parts.join('')),
    { weight: 2, arbitrary: ODD_TIMES },
  ),
  ALPHABET,
);

export const timestamps: fc.Arbitrary<string> = around(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(date, fc.constantFrom(' ', 'T'), time, OFFSET, ERA).map((parts) => parts.join('')),
    },
    fc.tuple(DST, OFFSET).map((parts) => parts.join('')),
    date,
    { weight: 2, arbitrary: ODD_TIMES },
  ),
  ALPHABET,
);
