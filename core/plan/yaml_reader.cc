#include "core/plan/yaml_reader.h"

#include <libfyaml.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/crypto/utf8.h"

namespace reprise::plan {
namespace {

Place PlaceOf(uint32_t source, const fy_mark* mark) {
  if (mark == nullptr) return {.source = source};
  return {.source = source,
          .line = static_cast<uint32_t>(mark->line + 1),
          .column = static_cast<uint32_t>(mark->column + 1),
          .length = 1};
}

Place PlaceOf(uint32_t source, fy_token* token) {
  if (token == nullptr) return {.source = source};
  Place place = PlaceOf(source, fy_token_start_mark(token));
  const fy_mark* end = fy_token_end_mark(token);
  if (end != nullptr && static_cast<uint32_t>(end->line + 1) == place.line &&
      static_cast<uint32_t>(end->column + 1) > place.column) {
    place.length = static_cast<uint32_t>(end->column + 1) - place.column;
  }
  return place;
}

struct Flaw {
  Place place;
  std::string message;
  std::string hint;
};

// What is looked at before the parser sees it: libfyaml 0.7 never comes back from some directives, and writes to the
// screen when a text is no UTF-8. And nobody should read a document otherwise than a program does.
std::optional<Flaw> FindFlaw(uint32_t source, std::string_view bytes) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (const size_t nul = bytes.find('\0'); nul != std::string_view::npos) {
    return Flaw{{.source = source}, absl::StrCat("a NUL byte at offset ", nul), "this is not a text file"};
  }
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  for (uint32_t number = 1; !bytes.empty(); ++number) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const Place begin{.source = source, .line = number, .column = 1, .length = 1};
    if (line.starts_with('%')) {
      return Flaw{begin, "a directive (%) stands here", "directives are not taken: every document is YAML 1.2"};
    }
    for (size_t at = 0; at < line.size();) {
      const size_t tab = std::min(line.find('\t', at), line.size());
      const size_t wrong = crypto::FindUnplain(line.substr(at, tab - at));
      if (wrong != std::string_view::npos) {
        Place place = begin;
        for (size_t i = 0; i < at + wrong; ++i)
          place.column += (static_cast<unsigned char>(line[i]) & 0xc0) != 0x80 ? 1 : 0;
        return Flaw{place, "a character stands here that cannot be seen, or a byte that is no UTF-8",
                    "documents are UTF-8, without control characters and marks that turn the direction of writing"};
      }
      at = tab + 1;
    }
  }
  return std::nullopt;
}

}  // namespace

struct YamlReader::Parser {
  fy_diag* diag = nullptr;
  fy_parser* parser = nullptr;
  fy_event* event = nullptr;

  // libfyaml's own words are collected, never written: it would take standard error for its own.
  bool Create() {
    fy_diag_cfg quiet{};
    fy_diag_cfg_default(&quiet);
    quiet.fp = nullptr;
    quiet.output_fn = [](fy_diag*, void*, const char*, size_t) {};
    diag = fy_diag_create(&quiet);
    if (diag == nullptr) return false;
    fy_diag_set_collect_errors(diag, true);
    fy_parse_cfg config{};
    config.flags = static_cast<fy_parse_cfg_flags>(FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DEFAULT_VERSION_1_2);
    config.diag = diag;
    parser = fy_parser_create(&config);
    return parser != nullptr;
  }

  void Drop() {
    if (event != nullptr) fy_parser_event_free(parser, event);
    event = nullptr;
  }
  ~Parser() {
    if (parser != nullptr) {
      Drop();
      fy_parser_destroy(parser);
    }
    if (diag != nullptr) fy_diag_destroy(diag);
  }
};

YamlReader::YamlReader(uint32_t source, Diagnostics& diagnostics)
    : source_(source), diagnostics_(diagnostics), parser_(std::make_unique<Parser>()) {
  const std::string_view bytes = diagnostics.SourceBytes(source);
  if (std::optional<Flaw> flaw = FindFlaw(source, bytes)) {
    Fail(flaw->place, std::move(flaw->message), std::move(flaw->hint));
    return;
  }
  // An empty text is given as a line's end: libfyaml takes a length of 0 for a C string.
  if (!parser_->Create() || fy_parser_set_string(parser_->parser, bytes.empty() ? "\n" : bytes.data(),
                                                 bytes.empty() ? 1 : bytes.size()) != 0) {
    Fail({.source = source_}, "cannot be read as YAML", "");
  }
}

YamlReader::~YamlReader() = default;

YamlReader::Event YamlReader::Ended() {
  ended_ = true;
  return {.kind = Kind::kEnd, .place = {.source = source_}, .text = {}, .quoted = false};
}

YamlReader::Event YamlReader::Fail(Place place, std::string message, std::string hint) {
  diagnostics_.Error(place, std::move(message)).Hint(std::move(hint));
  failed_ = true;
  return Ended();
}

YamlReader::Event YamlReader::Next() {
  if (ended_) return Ended();
  for (;;) {
    parser_->Drop();
    parser_->event = fy_parser_parse(parser_->parser);
    const fy_event* event = parser_->event;
    if (event == nullptr) {
      void* previous = nullptr;
      const fy_diag_error* error = fy_diag_errors_iterate(parser_->diag, &previous);
      if (error == nullptr) {
        return fy_parser_get_stream_error(parser_->parser) ? Fail({.source = source_}, "not YAML", "") : Ended();
      }
      const Place place{.source = source_,
                        .line = static_cast<uint32_t>(error->line + 1),
                        .column = static_cast<uint32_t>(error->column + 1),
                        .length = 1};
      return Fail(place, absl::StrCat("not YAML: ", error->msg == nullptr ? "unreadable" : error->msg), "");
    }

    Event found;
    fy_token* anchor = nullptr;
    fy_token* tag = nullptr;
    switch (event->type) {
      case FYET_STREAM_START:
      case FYET_NONE:
        continue;
      case FYET_STREAM_END:
        return Ended();
      case FYET_DOCUMENT_START:
        found.kind = Kind::kDocumentStart;
        found.place = PlaceOf(source_, event->document_start.document_start);
        return found;
      case FYET_DOCUMENT_END:
        found.kind = Kind::kDocumentEnd;
        return found;
      case FYET_ALIAS:
        return Fail(PlaceOf(source_, event->alias.anchor), "an alias (*) stands here",
                    "aliases are not taken: write the value out");
      case FYET_MAPPING_START:
        found.kind = Kind::kMapStart;
        found.place = PlaceOf(source_, event->mapping_start.mapping_start);
        anchor = event->mapping_start.anchor;
        tag = event->mapping_start.tag;
        ++depth_;
        break;
      case FYET_SEQUENCE_START:
        found.kind = Kind::kListStart;
        found.place = PlaceOf(source_, event->sequence_start.sequence_start);
        anchor = event->sequence_start.anchor;
        tag = event->sequence_start.tag;
        ++depth_;
        break;
      case FYET_MAPPING_END:
      case FYET_SEQUENCE_END:
        found.kind = event->type == FYET_MAPPING_END ? Kind::kMapEnd : Kind::kListEnd;
        --depth_;
        return found;
      case FYET_SCALAR: {
        found.kind = Kind::kScalar;
        anchor = event->scalar.anchor;
        tag = event->scalar.tag;
        fy_token* value = event->scalar.value;
        found.place = PlaceOf(source_, value);
        if (value != nullptr) {
          size_t length = 0;
          const char* text = fy_token_get_text(value, &length);
          if (text != nullptr) found.text = {text, length};
          found.quoted = fy_token_scalar_style(value) != FYSS_PLAIN;
        }
        break;
      }
    }
    if (anchor != nullptr) {
      return Fail(PlaceOf(source_, anchor), "an anchor (&) stands here", "anchors are not taken: write the value out");
    }
    if (tag != nullptr) {
      return Fail(PlaceOf(source_, tag), "a tag (!) stands here",
                  "tags are not taken: quote a text, write a number plain");
    }
    if (depth_ > kDepthMax) {
      return Fail(found.place, absl::StrCat("nested more than ", kDepthMax, " deep"), "");
    }
    return found;
  }
}

}  // namespace reprise::plan
