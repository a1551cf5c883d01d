/** A metric by its OpenTelemetry name. */
export interface MetricDefinition {
  readonly name: string;
  readonly description: string;
  /** As UCUM has it: `s`, `By`, `{token}`. */
  readonly unit: string;
  /** Names of the labels of each series, in the order in which their values are given. */
  readonly labels: readonly string[];
}

/** Adds to what was counted since the start. */
export type Counter = (value: number, labels: LabelValues) => void;
/** Notes one measurement. */
export type Histogram = (value: number, labels: LabelValues) => void;

/** One value for each label; null where there is none. */
export type LabelValues = readonly (string | null)[];

export interface CounterSeries {
  readonly labels: LabelValues;
  total: number;
}

export interface HistogramSeries {
  readonly labels: LabelValues;
  /** How many fell into each bucket: at most its bound, and above all bounds. */
  readonly counts: number[];
  sum: number;
  count: number;
}

/** A metric with all its series, as it is when it is looked at. */
export type Metric = MetricDefinition &
  (
    | { readonly type: "counter" | "gauge"; readonly series: readonly CounterSeries[] }
    | { readonly type: "histogram"; readonly bounds: readonly number[]; readonly series: readonly HistogramSeries[] }
  );

/** Metrics of one process, cumulative since `startedAtMs`. */
export interface MetricSet {
  readonly startedAtMs: number;
  counter(definition: MetricDefinition): Counter;
  histogram(definition: MetricDefinition, bounds: readonly number[]): Histogram;
  /** A metric that is asked for when somebody looks. */
  observe(type: "counter" | "gauge", definition: MetricDefinition, read: () => readonly CounterSeries[]): void;
  /** All metrics that have a series, in the order in which they were made. */
  read(): readonly Metric[];
}

export interface MetricSetOptions {
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  /** Series that each metric has at most. Further label values are counted together, each as `other`. */
  readonly mostSeries?: number;
}

/** Metrics whose memory is bounded, whatever values labels take. */
export function createMetricSet({ startedAtMs, mostSeries = 2_000 }: MetricSetOptions): MetricSet {
  const readers: (() => Metric)[] = [];
  return {
    startedAtMs,
    counter(definition) {
      const table = seriesTable(mostSeries, (labels): CounterSeries => ({ labels, total: 0 }));
      readers.push(() => ({ ...definition, type: "counter", series: table.all() }));
      return (value, labels) => {
        table.of(labels).total += value;
      };
    },
    histogram(definition, bounds) {
      const table = seriesTable(mostSeries, (labels): HistogramSeries => {
        return { labels, counts: Array.from({ length: bounds.length + 1 }, () => 0), sum: 0, count: 0 };
      });
      readers.push(() => ({ ...definition, type: "histogram", bounds, series: table.all() }));
      return (value, labels) => measure(table.of(labels), bounds, value);
    },
    observe(type, definition, read) {
      readers.push(() => ({ ...definition, type, series: read() }));
    },
    read: () => readers.map((read) => read()).filter(({ series }) => series.length > 0),
  };
}

function measure(series: HistogramSeries, bounds: readonly number[], value: number): void {
  let place = 0;
  while (place < bounds.length && value > (bounds[place] ?? 0)) place += 1;
  series.counts[place] = (series.counts[place] ?? 0) + 1;
  series.sum += value;
  series.count += 1;
}

function seriesTable<Series>(mostSeries: number, make: (labels: LabelValues) => Series) {
  const known = new Map<string, Series>();
  const otherKey = "\u0001other"; // no key of joined values begins so, as values are free of control characters
  return {
    of(labels: LabelValues): Series {
      const key = labels.join("\u0000");
      const found = known.get(key);
      if (found !== undefined) return found;
      const isFull = known.size >= mostSeries - 1;
      const place = isFull ? otherKey : key;
      const series = known.get(place) ?? make(isFull ? labels.map(() => "other") : labels);
      known.set(place, series);
      return series;
    },
    all: (): readonly Series[] => [...known.values()],
  };
}
