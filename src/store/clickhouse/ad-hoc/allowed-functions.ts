// Functions that statements of analysts may call: each depends on its arguments, the time or chance alone. Left out is what
// reads files, dictionaries, other tables, settings, addresses or the server's own affairs, what calls out, what waits, and
// what takes the name of a function or a table as text. A function that ClickHouse adds some day is refused until it is here.

const names = (text: string): readonly string[] => text.toLowerCase().trim().split(/\s+/);

const operators = names(`
  plus minus multiply divide intDiv intDivOrZero modulo moduloOrZero positiveModulo negate abs
  equals notEquals less greater lessOrEquals greaterOrEquals isDistinctFrom isNotDistinctFrom
  and or xor not in notIn globalIn globalNotIn nullIn notNullIn exists like ilike notLike notILike match
  if multiIf caseWithExpression caseWithoutExpression ifNull nullIf coalesce isNull isNotNull isZeroOrNull isNullable
  assumeNotNull toNullable greatest least clamp lambda tuple tupleElement untuple array arrayElement map identity
  divideDecimal multiplyDecimal divideOrNull moduloOrNull intDivOrNull`);

const numbers = names(`
  round floor ceil ceiling trunc truncate roundBankers roundDown sqrt cbrt exp exp2 exp10 log ln log2 log10 log1p pow power
  sign pi e sin cos tan asin acos atan atan2 hypot degrees radians sigmoid isFinite isInfinite isNaN ifNotFinite
  bitAnd bitOr bitXor bitNot bitShiftLeft bitShiftRight bitTest bitCount gcd lcm factorial widthBucket
  rand rand32 rand64 randUniform randNormal`);

const conversions = names(`
  CAST _CAST accurateCast accurateCastOrNull accurateCastOrDefault toBool toString toFixedString toUUID toUUIDOrNull
  toInt8 toInt16 toInt32 toInt64 toInt128 toUInt8 toUInt16 toUInt32 toUInt64 toUInt128 toFloat32 toFloat64
  toInt8OrNull toInt16OrNull toInt32OrNull toInt64OrNull toUInt8OrNull toUInt16OrNull toUInt32OrNull toUInt64OrNull
  toInt32OrZero toInt64OrZero toUInt32OrZero toUInt64OrZero toFloat32OrNull toFloat64OrNull toFloat64OrZero
  toDecimal32 toDecimal64 toDecimal128 toDecimal64OrNull toDecimal64OrZero toDecimalString toTypeName toLowCardinality
  toIPv4 toIPv6 toIPv4OrNull toIPv6OrNull isIPv4String isIPv6String isIPAddressInRange IPv4NumToString IPv4StringToNum
  toDate toDate32 toDateOrNull toDateOrZero toDateTime toDateTime64 toDateTimeOrNull toDateTime64OrNull toDateTimeOrZero
  toJSONString reinterpretAsUInt64 reinterpretAsString hex unhex bin unbin char ascii`);

const times = names(`
  now now64 today yesterday toYear toQuarter toMonth toWeek toISOWeek toISOYear toYearWeek toDayOfYear toDayOfMonth
  toDayOfWeek toHour toMinute toSecond toMillisecond toMicrosecond toUnixTimestamp toUnixTimestamp64Milli
  toUnixTimestamp64Micro toUnixTimestamp64Nano toUnixTimestamp64Second fromUnixTimestamp fromUnixTimestamp64Milli
  fromUnixTimestamp64Micro fromUnixTimestamp64Nano fromUnixTimestamp64Second toStartOfYear toStartOfISOYear
  toStartOfQuarter toStartOfMonth toStartOfWeek toMonday toStartOfDay toStartOfHour toStartOfMinute toStartOfSecond
  toStartOfMillisecond toStartOfFiveMinutes toStartOfFiveMinute toStartOfTenMinutes toStartOfFifteenMinutes
  toStartOfInterval toLastDayOfMonth toLastDayOfWeek date_trunc dateTrunc timeSlot toTime toYYYYMM toYYYYMMDD
  toYYYYMMDDhhmmss toRelativeDayNum toRelativeHourNum toRelativeMinuteNum toRelativeWeekNum toRelativeMonthNum
  dateDiff date_diff age timeDiff addDate subDate addYears addQuarters addMonths addWeeks addDays addHours addMinutes
  addSeconds addMilliseconds addInterval subtractYears subtractQuarters subtractMonths subtractWeeks subtractDays
  subtractHours subtractMinutes subtractSeconds subtractMilliseconds subtractInterval formatDateTime dateName monthName
  parseDateTime parseDateTimeOrNull parseDateTimeBestEffort parseDateTimeBestEffortOrNull parseDateTime64BestEffort
  parseDateTime64BestEffortOrNull makeDate makeDateTime makeDateTime64 toTimezone toTimeZone timezoneOf timezoneOffset
  toIntervalNanosecond toIntervalMicrosecond toIntervalMillisecond toIntervalSecond toIntervalMinute toIntervalHour
  toIntervalDay toIntervalWeek toIntervalMonth toIntervalQuarter toIntervalYear UUIDv7ToDateTime tumble tumbleStart
  tumbleEnd hop hopStart hopEnd DATE TIMESTAMP`);

const texts = names(`
  length lengthUTF8 char_length empty notEmpty lower lcase upper ucase lowerUTF8 upperUTF8 reverse reverseUTF8 concat concatWithSeparator
  concat_ws substring substr mid substringUTF8 substringIndex left right leftUTF8 rightUTF8 leftPad rightPad lpad rpad
  trim trimLeft trimRight trimBoth ltrim rtrim repeat space position positionUTF8 positionCaseInsensitive locate
  startsWith endsWith hasToken hasTokenCaseInsensitive hasSubsequence countSubstrings countMatches replace replaceOne
  replaceAll replaceRegexpOne replaceRegexpAll extract extractAll extractGroups regexpExtract multiSearchAny
  multiSearchAnyCaseInsensitive multiMatchAny splitByChar splitByString splitByWhitespace splitByNonAlpha splitByRegexp
  arrayStringConcat base64Encode base64Decode tryBase64Decode initcap toValidUTF8 isValidUTF8 printf formatReadableSize
  formatReadableQuantity formatReadableTimeDelta formatReadableDecimalSize bar domain domainWithoutWWW topLevelDomain
  protocol path cutQueryString encodeURLComponent decodeURLComponent translate transform editDistance
  ngramDistance JSONExtractString JSONExtractInt JSONExtractUInt JSONExtractFloat JSONExtractBool JSONExtractRaw
  JSONExtractKeys JSONExtract JSONHas JSONLength JSONType isValidJSON`);

const hashes = names("cityHash64 sipHash64 xxHash64 murmurHash3_64 farmHash64 intHash64 MD5 SHA1 SHA256 halfMD5 CRC32");

const collections = names(`
  arrayJoin arrayMap arrayFilter arrayCount arrayExists arrayAll arrayFirst arrayFirstIndex arrayLast arrayLastIndex
  arraySum arrayAvg arrayMin arrayMax arrayProduct arraySort arrayReverseSort arrayPartialSort arrayReverse arrayDistinct arrayUniq
  arrayEnumerate arrayEnumerateUniq arrayEnumerateDense arraySlice arrayConcat arrayPushBack arrayPushFront arrayPopBack arrayPopFront
  arrayResize arrayFlatten flatten arrayCompact arrayZip arrayFold arrayCumSum arrayDifference arrayIntersect arrayUnion arrayExcept
  arrayWithConstant arrayFill arraySplit arrayJaccardIndex arrayRotateLeft arrayShiftLeft arrayElementOrNull
  has hasAll hasAny hasSubstr indexOf countEqual range emptyArrayString emptyArrayUInt64
  mapKeys mapValues mapContains mapContainsKey mapContainsKeyLike mapContainsValue mapFilter mapApply mapSort mapAdd mapSubtract
  mapFromArrays mapExists mapAll mapConcat mapUpdate tupleConcat tupleNames tupleToNameValuePairs flattenTuple tuplePlus tupleMinus`);

const windows = names(`
  row_number rank dense_rank denseRank percent_rank percentRank cume_dist ntile nth_value lag lead lagInFrame leadInFrame
  first_value last_value nonNegativeDerivative exponentialMovingAverage exponentialTimeDecayedAvg`);

const aggregates = names(`
  count sum sumKahan sumWithOverflow sumCount sumMappedArrays avg avgWeighted min max any anyLast any_value anyHeavy argMin argMax argAndMin argAndMax
  min_by max_by singleValueOrNull quantile quantiles quantileExact quantilesExact quantileTDigest quantilesTDigest
  quantileTDigestWeighted quantileTiming quantilesTiming quantileExactWeighted quantileDeterministic quantileDD quantilesDD
  quantileBFloat16 quantilesBFloat16 quantileGK quantilesGK quantileExactLow quantileExactHigh quantileExactInclusive quantileExactExclusive
  median medianExact medianTDigest stddevPop stddevSamp varPop varSamp covarPop covarSamp corr skewPop skewSamp kurtPop kurtSamp
  uniq uniqExact uniqCombined uniqCombined64 uniqHLL12 topK topKWeighted approx_top_k approx_top_count approx_top_sum
  groupArray array_agg groupArraySample groupArraySorted groupArrayLast groupArrayInsertAt groupArrayMovingSum groupArrayMovingAvg groupUniqArray groupConcat
  group_concat string_agg groupBitAnd groupBitOr groupBitXor histogram entropy deltaSum deltaSumTimestamp intervalLengthSum maxIntersections
  maxIntersectionsPosition boundingRatio simpleLinearRegression rankCorr sequenceMatch sequenceCount windowFunnel retention
  largestTriangleThreeBuckets sparkbar studentTTest welchTTest mannWhitneyUTest`);

/** Ordinary and window functions that a statement may call, in lower case. */
export const allowedFunctions: ReadonlySet<string> = new Set([
  ...operators,
  ...numbers,
  ...conversions,
  ...times,
  ...texts,
  ...hashes,
  ...collections,
  ...windows,
  "finalizeaggregation",
]);

/** Aggregate functions that a statement may call, also with the endings that change how they count; in lower case. */
export const allowedAggregates: ReadonlySet<string> = new Set(aggregates);

/**
 * Table functions that only make up rows, in lower case. None that takes a list of columns as text, as `values` does: a
 * column there may be `ALIAS` of any expression, which no tree shows.
 */
export const allowedTableFunctions: ReadonlySet<string> = new Set(
  names("numbers numbers_mt zeros zeros_mt generateSeries generate_series"),
);

/** Whether a function may be called where a value stands. `name` may be written in any case. */
export function isAllowedFunction(name: string): boolean {
  const lower = name.toLowerCase();
  return allowedFunctions.has(lower) || isAllowedAggregate(lower);
}

const combinators =
  /(.+?)(simplestate|state|mergestate|merge|distinct|ordefault|ornull|foreach|array|argmin|argmax|map|if|_respect_nulls)$/;

function isAllowedAggregate(name: string): boolean {
  if (allowedAggregates.has(name)) return true;
  for (let rest = name; ; ) {
    const [, shorter] = combinators.exec(rest) ?? [];
    if (shorter === undefined) return false;
    if (allowedAggregates.has(shorter)) return true;
    rest = shorter;
  }
}
