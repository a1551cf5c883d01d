import type { AnalyticsEvent, ExchangeEvent } from "../../pipeline/event.ts";

/**
 * Finds the operation of each event, of those that come as they are recorded: an exchange's operations, then its tries. Of
 * an operation's own event it is that event; undefined for a try whose operation left none.
 */
export function createOperationMemory(): (event: AnalyticsEvent) => ExchangeEvent | undefined {
  const operations = new Map<string, ExchangeEvent>();
  let exchange = "";
  return (event) => {
    if (event.exchange_id !== exchange) operations.clear();
    exchange = event.exchange_id;
    if (event.type === "attempt") return operations.get(event.operation_id);
    operations.set(event.operation_id, event);
    return event;
  };
}
