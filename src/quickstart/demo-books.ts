import { GatewayError } from "../kernel/errors.ts";

interface Book {
  readonly id: string;
  readonly title: string;
  readonly author: string;
  readonly year: number;
}

/** A shelf of books that everybody may have heard of. */
const books: readonly Book[] = [
  { id: "emma", title: "Emma", author: "Jane Austen", year: 1815 },
  { id: "frankenstein", title: "Frankenstein", author: "Mary Shelley", year: 1818 },
  { id: "moby-dick", title: "Moby-Dick", author: "Herman Melville", year: 1851 },
  { id: "middlemarch", title: "Middlemarch", author: "George Eliot", year: 1871 },
  { id: "dracula", title: "Dracula", author: "Bram Stoker", year: 1897 },
  { id: "kim", title: "Kim", author: "Rudyard Kipling", year: 1901 },
];

/**
 * What the demonstration's REST API answers to a GET of this path: `/books`, also with words to look for (`?words=`), and
 * `/books/{id}`. Throws `route.not_found` for anything else.
 */
export function demoBooks(path: string, query: URLSearchParams): object {
  if (path === "/books") {
    const words = query.get("words")?.toLowerCase() ?? "";
    return { books: books.filter(({ title, author }) => `${title} ${author}`.toLowerCase().includes(words)) };
  }
  const book = books.find(({ id }) => path === `/books/${id}`);
  if (book === undefined) throw new GatewayError("route.not_found", `There is nothing at ${path}.`);
  return book;
}

const bookSchema = {
  type: "object",
  required: ["id", "title", "author", "year"],
  properties: {
    id: { type: "string" },
    title: { type: "string" },
    author: { type: "string" },
    year: { type: "integer" },
  },
};

/** The OpenAPI description of it. */
export const booksDescription = {
  openapi: "3.1.0",
  info: { title: "Books", version: "1.0.0", description: "A small shelf of books, to try out the gateway with." },
  paths: {
    "/books": {
      get: {
        operationId: "find_books",
        summary: "Finds books by words of their title or author; all of them without words.",
        parameters: [{ name: "words", in: "query", description: "What to look for.", schema: { type: "string" } }],
        responses: {
          "200": {
            description: "The books that were found.",
            content: {
              "application/json": {
                schema: { type: "object", properties: { books: { type: "array", items: bookSchema } } },
              },
            },
          },
        },
      },
    },
    "/books/{id}": {
      get: {
        operationId: "get_book",
        summary: "Gives one book.",
        parameters: [
          { name: "id", in: "path", required: true, description: "As a search has it.", schema: { type: "string" } },
        ],
        responses: {
          "200": { description: "The book.", content: { "application/json": { schema: bookSchema } } },
          "404": { description: "There is no such book." },
        },
      },
    },
  },
};
