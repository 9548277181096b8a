// Lucene Monitor as a peer of benchmarks/matching.py: queries and articles on standard input, matches on standard output.
//
// Arguments: how the presearcher chooses terms ("default": by length, as Lucene comes; "tuned": by how rare a term is in
// a sample, beginnings of words by their first letters), and how many queries, articles of the sample follow.
// Lines: a query is its number, a tab, and its tree in prefix notation, one token a column: "or 2 t mali pre mal".
// Then lines "names N" or "evidence N", each followed by N articles, one a line. The answer is one line: the CPU time of
// the whole process in seconds (all threads, without reading the lines), a tab, and for each article the numbers of its
// queries with spaces between, articles separated by tabs.

import java.io.*;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.lucene.analysis.*;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;
import org.apache.lucene.document.*;
import org.apache.lucene.index.*;
import org.apache.lucene.monitor.*;
import org.apache.lucene.search.*;
import org.apache.lucene.search.spans.*;

public final class MonitorPeer {
  static final String FIELD = "text";
  static final int LONGEST_BEGINNING = 6;
  static final char BEGINNING = '\u0001';

  static final Analyzer ANALYZER =
      new Analyzer() {
        @Override
        protected TokenStreamComponents createComponents(String field) {
          Tokenizer source = new StandardTokenizer();
          return new TokenStreamComponents(source, normalize(field, source));
        }

        @Override
        protected TokenStream normalize(String field, TokenStream in) {
          return new ASCIIFoldingFilter(new LowerCaseFilter(in));
        }
      };

  static List<String> words(String text) throws IOException {
    List<String> found = new ArrayList<>();
    try (TokenStream stream = ANALYZER.tokenStream(FIELD, text)) {
      CharTermAttribute term = stream.addAttribute(CharTermAttribute.class);
      stream.reset();
      while (stream.incrementToken()) found.add(term.toString());
      stream.end();
    }
    return found;
  }

  // --- queries ---

  static Query query(Iterator<String> tokens) throws IOException {
    String kind = tokens.next();
    switch (kind) {
      case "t":
        List<String> words = words(tokens.next());
        if (words.isEmpty()) return new MatchNoDocsQuery();
        if (words.size() == 1) return new TermQuery(new Term(FIELD, words.get(0)));
        return new PhraseQuery(FIELD, words.toArray(new String[0]));
      case "pre":
        return new PrefixQuery(new Term(FIELD, ANALYZER.normalize(FIELD, tokens.next())));
      case "or":
      case "and":
        BooleanQuery.Builder all = new BooleanQuery.Builder();
        for (int left = Integer.parseInt(tokens.next()); left > 0; left--) {
          Query part = query(tokens);
          boolean not = part instanceof Negated;
          BooleanClause.Occur must = not ? BooleanClause.Occur.MUST_NOT : BooleanClause.Occur.MUST;
          all.add(not ? ((Negated) part).part : part, kind.equals("or") ? BooleanClause.Occur.SHOULD : must);
        }
        return all.build();
      case "not":
        return new Negated(query(tokens));
      case "near":
        int slop = Integer.parseInt(tokens.next());
        return new SpanNearQuery(new SpanQuery[] {span(query(tokens)), span(query(tokens))}, slop, false);
      default:
        throw new IOException("unknown: " + kind);
    }
  }

  /** Stands for a part of an AND until that is built; it never reaches the index. */
  static final class Negated extends Query {
    final Query part;

    Negated(Query part) {
      this.part = part;
    }

    @Override
    public String toString(String field) {
      return "not " + part;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Negated && part.equals(((Negated) other).part);
    }

    @Override
    public int hashCode() {
      return ~part.hashCode();
    }
  }

  static SpanQuery span(Query query) throws IOException {
    if (query instanceof TermQuery) return new SpanTermQuery(((TermQuery) query).getTerm());
    if (query instanceof PrefixQuery) return new SpanMultiTermQueryWrapper<>((PrefixQuery) query);
    List<SpanQuery> parts = new ArrayList<>();
    if (query instanceof PhraseQuery) {
      for (Term term : ((PhraseQuery) query).getTerms()) parts.add(new SpanTermQuery(term));
      return new SpanNearQuery(parts.toArray(new SpanQuery[0]), 0, true);
    }
    for (BooleanClause clause : ((BooleanQuery) query).clauses()) parts.add(span(clause.getQuery()));
    return new SpanOrQuery(parts.toArray(new SpanQuery[0]));
  }

  // --- the tuned presearcher ---

  /** Queries for beginnings of words are found by their first letters, instead of with every article. */
  static final class Beginnings implements CustomQueryHandler {
    final Set<String> stored = new HashSet<>();

    @Override
    public QueryTree handleQuery(Query query, TermWeightor weightor) {
      if (!(query instanceof PrefixQuery)) return null;
      String text = ((PrefixQuery) query).getPrefix().text();
      String first = text.substring(0, Math.min(text.length(), LONGEST_BEGINNING));
      stored.add(first);
      return QueryTree.term(new Term(FIELD, first + BEGINNING), weightor);
    }

    @Override
    public TokenStream wrapTermStream(String field, TokenStream in) {
      return new TokenFilter(in) {
        final CharTermAttribute term = addAttribute(CharTermAttribute.class);
        String word = "";
        int next = LONGEST_BEGINNING + 1;

        @Override
        public boolean incrementToken() throws IOException {
          while (next <= Math.min(word.length(), LONGEST_BEGINNING)) {
            String first = word.substring(0, next++);
            if (!stored.contains(first)) continue;
            clearAttributes();
            term.append(first).append(BEGINNING);
            return true;
          }
          if (!input.incrementToken()) return false;
          word = term.toString();
          next = 1;
          return true;
        }
      };
    }
  }

  static TermWeightor byRarity(List<String> sample) throws IOException {
    Map<String, Integer> counts = new HashMap<>();
    for (String text : sample) {
      Set<String> seen = new HashSet<>();
      for (String word : words(text)) {
        seen.add(word);
        for (int end = 1; end <= Math.min(word.length(), LONGEST_BEGINNING); end++) seen.add(word.substring(0, end) + BEGINNING);
      }
      for (String word : seen) counts.merge(word, 1, Integer::sum);
    }
    return term -> 1 / (counts.getOrDefault(term.text(), 0) + 1.0 / (2 + term.text().length()));
  }

  // --- the conversation ---

  static double cpu() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime() / 1e9;
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8), 1 << 20);
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, "UTF-8");
    boolean tuned = arguments[0].equals("tuned");
    List<MonitorQuery> queries = new ArrayList<>();
    for (int left = Integer.parseInt(arguments[1]); left > 0; left--) {
      List<String> columns = Arrays.asList(in.readLine().split("\t"));
      queries.add(new MonitorQuery(columns.get(0), query(columns.subList(1, columns.size()).iterator())));
    }
    List<String> sample = new ArrayList<>();
    for (int left = Integer.parseInt(arguments[2]); left > 0; left--) sample.add(in.readLine());
    if (tuned) IndexSearcher.setDefaultQueryCache(null);
    Presearcher presearcher =
        tuned
            ? new TermFilteredPresearcher(byRarity(sample), List.of(new Beginnings()), Collections.emptySet())
            : new TermFilteredPresearcher();
    MonitorConfiguration configuration = new MonitorConfiguration();
    configuration.setPurgeFrequency(10, java.util.concurrent.TimeUnit.HOURS);
    Monitor monitor = new Monitor(ANALYZER, presearcher, configuration);
    monitor.register(queries);
    out.println("ready");
    out.flush();
    for (String line; (line = in.readLine()) != null; ) {
      String[] command = line.split(" ");
      List<String> articles = new ArrayList<>();
      for (int left = Integer.parseInt(command[1]); left > 0; left--) articles.add(in.readLine());
      StringBuilder answer = new StringBuilder();
      double before = cpu();
      for (String article : articles) {
        Document document = new Document();
        document.add(new TextField(FIELD, article, Field.Store.NO));
        Set<String> names = new LinkedHashSet<>();
        if (command[0].equals("evidence")) {
          for (HighlightsMatch match : monitor.match(document, HighlightsMatch.MATCHER).getMatches()) names.add(match.getQueryId());
        } else {
          for (QueryMatch match : monitor.match(document, QueryMatch.SIMPLE_MATCHER).getMatches()) names.add(match.getQueryId());
        }
        answer.append('\t').append(String.join(" ", names));
      }
      double spent = cpu() - before;
      out.println(spent + answer.toString());
      out.flush();
    }
    System.exit(0); // Monitor's purging thread would go on
  }
}
