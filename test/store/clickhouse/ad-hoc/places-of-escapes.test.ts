import { afterAll, beforeAll, expect, test } from "vitest";
import type { AdHocReader } from "../../../../src/analytics/ad-hoc-reader.ts";
import { isAllowedFunction } from "../../../../src/store/clickhouse/ad-hoc/allowed-functions.ts";
import { createAdHocReader } from "../../../../src/store/clickhouse/ad-hoc/create-ad-hoc-reader.ts";
import type { TestEngine } from "../../../kit/embedded-clickhouse.ts";
import { askEngine, describeWithAnalyst, startTestEngine } from "../../../kit/embedded-clickhouse.ts";

/** A table that is not ours, wherever an expression may stand. */
const inPlaces = [
  "SELECT * FROM exchanges WHERE 0 IN system.one",
  "SELECT * FROM exchanges PREWHERE 0 IN system.one",
  "SELECT count() FROM exchanges HAVING 0 IN system.one",
  "SELECT row_number() OVER (ORDER BY ts) AS n FROM exchanges QUALIFY 0 IN system.one",
  "SELECT count() FROM exchanges GROUP BY 0 IN system.one",
  "SELECT count() FROM exchanges GROUP BY GROUPING SETS ((0 IN system.one), (api_id))",
  "SELECT 1 FROM exchanges ORDER BY 0 IN system.one",
  "SELECT 1 FROM exchanges LIMIT 1 BY 0 IN system.one",
  "SELECT 1 FROM exchanges LIMIT (SELECT dummy FROM system.one)",
  "SELECT 1 FROM exchanges OFFSET (SELECT dummy FROM system.one)",
  "SELECT 1 FROM exchanges ARRAY JOIN [0 IN system.one] AS x",
  "SELECT number AS n FROM numbers(3) ORDER BY n WITH FILL INTERPOLATE (n AS 0 IN system.one)",
  "SELECT count() OVER w FROM numbers(1) WINDOW w AS (PARTITION BY 0 IN system.one)",
  "SELECT sumIf(1, 0 IN system.one) FROM numbers(1)",
  "SELECT count() FILTER (WHERE 0 IN system.one) FROM numbers(1)",
  "SELECT arrayMap(x -> x IN system.one, [0])",
  "SELECT CASE WHEN 0 IN system.one THEN 1 END",
  "SELECT * REPLACE (0 IN system.one AS number) FROM numbers(1)",
  "SELECT * FROM exchanges AS e JOIN numbers(1) AS n ON 0 IN system.one",
  "SELECT * FROM exchanges CROSS JOIN config_snapshots",
  "SELECT * FROM exchanges GLOBAL ANY LEFT JOIN system.one AS o ON 1 = 1",
  "SELECT * FROM exchanges PASTE JOIN system.one",
  "SELECT * FROM exchanges ASOF JOIN config_snapshots AS c ON exchanges.config_hash = c.hash AND exchanges.ts > c.seen_at",
  "SELECT * FROM (exchanges, system.one)",
  "FROM system.one SELECT *",
  "(SELECT * FROM system.one)",
  "(SELECT 1) UNION DISTINCT (SELECT * FROM system.one)",
  "SELECT 0 INTERSECT SELECT * FROM system.one",
  "WITH system AS (SELECT 1) SELECT * FROM system.one",
  "WITH (SELECT dummy FROM system.one) AS x SELECT x",
  "WITH one AS (SELECT * FROM system.one) SELECT * FROM one",
  "SELECT * FROM exchanges AS system, system.one",
  "SELECT ANY (SELECT dummy FROM system.one) = 0",
  "SELECT 0 = ALL (SELECT dummy FROM system.one)",
];

/** Ways of writing that are meant for another reader. */
const spellings = [
  "SELECT * FROM `sys\\x74em`.`one`",
  'SELECT * FROM "sys\\x74em"."one"',
  "SELECT * FROM `sys\\tem`.one",
  "SELECT\u00a0*\u00a0FROM\u00a0system.one",
  "SELECT * FROM\u2003system.one",
  "\ufeffSELECT * FROM system.one",
  "SELECT * FROM sys\u200btem.one",
  "SELECT * FROM \u0455ystem.one",
  "SELECT * FROM \uff46\uff49\uff4c\uff45('x')",
  "SELECT * FROM system -- \n . one",
  "SELECT * FROM # a remark\n system.one",
  "SELECT * FROM #! a remark\n system.one",
  "SELECT * FROM /* /* */ */ system.one",
  "SELECT * FROM system . one",
  "SELECT * FROM\tsystem\n.\r\none",
  "SELECT $x$a$x$ FROM system.one",
  "SELECT 'a\\' FROM exchanges --' FROM system.one",
  "SELECT {table:String} FROM exchanges",
  "SELECT @@version",
  "SELECT 1;;SELECT * FROM system.one",
  "SELECT 1 \\G",
  "select * from SYSTEM.ONE",
  "SELECT * FROM exchanges FORMAT Null; SELECT 1",
  "SELECT 1 AS a FORMAT CSV SETTINGS a = 1",
  "SELECT 1 SETTINGS a = 1 FORMAT CSV",
  "SELECT * FROM exchanges INTO OUTFILE '/tmp/x' AND STDOUT",
  "EXPLAIN PLAN SELECT * FROM exchanges",
  "EXPLAIN ESTIMATE SELECT * FROM exchanges",
  "EXPLAIN TABLE OVERRIDE mysql('', '', '', '', '') TABLE OVERRIDE x ()",
  "EXPLAIN CURRENT TRANSACTION",
  "SELECT * FROM viewExplain('EXPLAIN', '', (SELECT 1))",
];

/** Expressions inside of texts and types, and functions that need no parentheses: no tree shows a call. */
const hidden = [
  "SELECT y FROM values('x UInt8, y String ALIAS file(''/etc/hostname'')', 1)",
  "SELECT y FROM VALUES('x UInt8, y String ALIAS hostName()', 1)",
  "SELECT y FROM `values`('x UInt8, y String DEFAULT hostName()', 1)",
  "SELECT y FROM values('x UInt8, y UInt8 ALIAS (SELECT dummy FROM system.one)', 1)",
  "SELECT y FROM values(concat('x UInt8, y UInt8 ALI', 'AS sleep(1)'), 1)",
  "SELECT 1 WHERE 'a' IN (SELECT y FROM values('x UInt8, y String ALIAS hostName()', 1))",
  "SELECT * FROM values('x UInt8', 1)",
  "SELECT * FROM (VALUES (1), (2))",
  "SELECT JSONExtract('{}', 'x UInt8 ALIAS hostName()')",
  "SELECT CAST((1, 'a'), 'Tuple(x UInt8, y String ALIAS hostName())')",
  "SELECT CAST('{}', 'JSON(x String ALIAS hostName())')",
  "SELECT CAST('x', 'AggregateFunction(flameGraph, Array(UInt64))')",
  "SELECT USER",
  "SELECT `user` FROM exchanges",
  "SELECT arrayMap(x -> CURRENT_USER, [1])",
  "SELECT session_user, count() FROM exchanges",
  "SELECT currentUser",
  "SELECT DATABASE",
  "SELECT current_database",
  "SELECT currentDatabase",
  "SELECT 1 FROM exchanges WHERE team_id = Schema",
];

/** Ways to a name by another name, or of asking for something else than rows. */
const detours = [
  "EXECUTE AS default SELECT 1",
  "EXPLAIN SYNTAX SELECT 1",
  "EXPLAIN QUERY TREE SELECT 1",
  "(EXPLAIN SELECT 1)",
  "TABLE system.one",
  "SELECT 0 IN (TABLE system.one)",
  "SELECT 1 FORMAT CSV INTO OUTFILE 'x.csv'",
  "SELECT 1 INTO OUTFILE 'x.csv' FORMAT CSV SETTINGS max_threads = 1",
  "SELECT 1 UNION ALL SELECT 2 SETTINGS max_threads = 9",
  "SELECT * FROM {d:Identifier}.{t:Identifier}",
  "WITH url AS u SELECT u('http://127.0.0.1:1/')",
  "SELECT u('http://127.0.0.1:1/') FROM (SELECT url AS u)",
  "WITH (x -> url(x)) AS u SELECT u('http://127.0.0.1:1/')",
  "SELECT * FROM numbers(1) WHERE number IN url('http://127.0.0.1:1/')",
  "SELECT * FROM numbers(1) WHERE number IN (s3('http://127.0.0.1:1/x'))",
  "SELECT * FROM numbers((SELECT dummy FROM system.one))",
  "SELECT * FROM generate_series(1, (SELECT count() FROM system.tables))",
  "SELECT quantile((SELECT dummy FROM system.one))(1)",
  "SELECT groupArray((SELECT count() FROM system.tables))(1)",
  "SELECT arrayMap(hostName, [1])",
  "SELECT arrayFold(sleepEachRow, [1], 0)",
  "SELECT formatDateTime(now(), hostName())",
  "SELECT system.one.* FROM exchanges",
  "SELECT COLUMNS('.*') FROM system.one",
  "ATTACH TABLE t FROM '/etc'",
];

/** What would take all memory, or never end. */
const bombs = [
  "SELECT arrayJoin(range(1000000000))",
  "SELECT repeat('a', 1000000000)",
  "SELECT length(repeat(repeat('a', 1000000), 1000000))",
  "SELECT length(leftPad('a', 2000000000))",
  "SELECT length(space(4000000000))",
  "SELECT length(arrayWithConstant(1000000000, 1))",
  "SELECT length(arrayResize([1], 1000000000))",
  "SELECT length(arrayResize([1], 1000000000000))",
  "SELECT * FROM generateRandom('x String', 1, 1000000000)",
  "SELECT finalizeAggregation(CAST(unhex('ffffffff0f00'), 'AggregateFunction(groupArray, UInt64)'))",
  "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count() FROM t",
  "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + arrayJoin([1, 2]) FROM t) SELECT count() FROM t",
];

/** Table functions that read, call out or run something. */
const tableFunctions =
  `fileCluster s3Cluster gcs gcsCluster oss cosn hdfs hdfsCluster azureBlobStorage azureBlobStorageCluster iceberg icebergS3
  icebergLocal icebergAzure icebergCluster deltaLake deltaLakeS3 deltaLakeLocal deltaLakeCluster hudi hudiCluster paimon
  remoteSecure jdbc odbc mysql postgresql redis mongodb sqlite executable executablePool dictionary filesystem url
  urlCluster cluster clusterAllReplicas merge mergeTreeIndex mergeTreeProjection mergeTreeParts view viewIfPermitted loop
  null format input fuzzJSON fuzzQuery generateRandom timeSeriesData timeSeriesSelector timeSeriesTags prometheusQuery
  prometheusQueryRange arrowFlight ytsaurus primes values`.split(/\s+/);

/** Functions that tell of the server, of settings or of dictionaries, that wait, fail on purpose or take names as text. */
const functions =
  `dictGetOrNull dictGetOrDefault dictHas dictGetHierarchy dictIsIn dictGetString joinGetOrNull getSetting getSettingOrDefault
  getClientHTTPHeader getMacro getOSKernelVersion tcpPort serverUUID serverTimezone FQDN hostName uptime currentDatabase currentUser
  currentRoles currentProfiles currentSchemas currentQueryID queryID initialQueryID connectionId shardNum shardCount version buildId
  displayName revision filesystemAvailable filesystemCapacity filesystemUnreserved file catboostEvaluate evalMLMethod
  naiveBayesClassifier addressToLine addressToSymbol demangle trap throwIf regionToName transactionID generateSerialID
  runningAccumulate neighbor rowNumberInAllBlocks blockNumber blockSize dumpColumnStructure toColumnTypeName defaultValueOfTypeName
  structureToProtobufSchema structureToCapnProtoSchema partitionId formatRow formatRowNoNewline formatQuery formatQuerySingleLine
  arrayReduce arrayReduceInRanges initializeAggregation finalizeAggregationState hasColumnInTable isMergeTreePartCoveredBy
  sleep sleepEachRow detectLanguage lemmatize synonyms stem tokens encrypt decrypt aes_encrypt_mysql tryDecrypt showCertificate
  zookeeperSessionUptime flameGraph colorSRGBToOKLCH sqid nested getSubcolumn ignore materialize identity2 aiGenerate`.split(
    /\s+/,
  );

describeWithAnalyst("statements that would leave the analytics tables", () => {
  let engine: TestEngine;
  let reader: AdHocReader;
  beforeAll(async () => {
    engine = startTestEngine();
    reader = createAdHocReader(engine.session);
    await engine.session.use(async ({ writer }) => {
      for (const query of [
        "CREATE DATABASE gatehouse_other",
        "CREATE VIEW gatehouse_other.exchanges AS SELECT * FROM system.one",
        "CREATE VIEW gatehouse.shown AS SELECT * FROM gatehouse.config_snapshots",
        "CREATE VIEW gatehouse.of AS SELECT {n:UInt8} AS n",
      ]) {
        await writer.command({ query: own(query) });
      }
    });
  }, 120_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  const own = (statement: string): string => statement.replaceAll("gatehouse", engine.database);
  const refused = async (statement: string): Promise<void> => {
    await expect(reader.query(own(statement), "json")).rejects.toMatchObject({ code: "request.invalid" });
  };

  test.each(inPlaces)("are refused wherever the table stands: %s", refused);

  test.each(spellings)("are refused however they are written: %j", refused);

  test.each(hidden)("are refused where an expression hides: %j", refused);

  test.each(detours)("are refused by another way: %j", refused);

  test.each(bombs)("are refused before they take it all: %s", refused, 30_000);

  test.each(tableFunctions)("are refused by the table function %s", async (name) => {
    await refused(`WITH x AS (SELECT * FROM ${name}('a', 'b', 'c')) SELECT count() FROM exchanges, x`);
  });

  test("are refused by functions that know more than their arguments", async () => {
    expect(functions.filter(isAllowedFunction)).toEqual([]);
    for (const name of ["dictGetOrNull", "getSetting", "tcpPort", "partitionId"]) {
      await refused(`SELECT arrayMap(x -> ${name}(x), ['x']) FROM exchanges`);
    }
  });

  test.each([
    "SELECT * FROM gatehouse_other.exchanges",
    "SELECT * FROM shown",
    "SELECT * FROM gatehouse.shown",
    "SELECT '' IN shown",
    "SELECT * FROM of(n = 1)",
    "SELECT * FROM gatehouse.of(n = 1)",
  ])("are refused of views, also of those that are named like a table: %s", refused);

  test("and what they ask of the tables themselves is answered", async () => {
    await reader.query(own("SELECT count() FROM gatehouse.exchanges, attempts AS a WHERE a.attempt = 1"), "json");
    const counted = own("SELECT toUInt8(count()) AS n FROM gatehouse_other.exchanges");
    expect(await askEngine(engine.session, counted)).toEqual({ n: 1 });
  });
});
