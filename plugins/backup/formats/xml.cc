// XML, well-formed to the end of its root element (expat, with its own protection against entities that explode).
#include <expat.h>

#include <memory>
#include <type_traits>

#include "plugins/backup/formats/all.h"
#include "plugins/backup/formats/text_grammar.h"
#include "plugins/backup/judge/words.h"

namespace reprise::backup {
namespace {

// Windows-1252, which expat does not know; its letters are told apart as those of ISO 8859-1.
int Western(void*, const XML_Char* name, XML_Encoding* into) {
  if (Lower(name) != "windows-1252" && Lower(name) != "iso-8859-15") return XML_STATUS_ERROR;
  for (int i = 0; i < 256; ++i) into->map[i] = i >= 0x80 && i < 0xa0 ? 0x2000 + i : i;
  into->data = nullptr;
  into->convert = nullptr;
  into->release = nullptr;
  return XML_STATUS_OK;
}

class Xml final : public Decoder {
 public:
  const char* name() const override { return "xml"; }
  bool Textual() const override { return true; }
  bool Ends() const override { return true; }
  bool Recognises(std::string_view head) const override {
    if (head.substr(0, 3) == "\xef\xbb\xbf") head.remove_prefix(3);
    if (!StartsWith(StripLeft(head), "<?xml")) return false;
    // What declares elements is no document but a part of one (a DTD).
    const bool part = Contains(head, "<!ELEMENT") || Contains(head, "<!ENTITY") || Contains(head, "<!ATTLIST");
    return LooksLikeText(head) && (!part || Contains(head, "<!DOCTYPE"));
  }
  void Decode(Source& source, Report& report) const override {
    const std::unique_ptr<std::remove_pointer_t<XML_Parser>, void (*)(XML_Parser)> parser(XML_ParserCreate(nullptr),
                                                                                          XML_ParserFree);
    XML_SetUnknownEncodingHandler(parser.get(), Western, nullptr);
    Reader reader(source);
    for (;;) {
      const std::string_view piece = reader.Some();
      if (XML_Parse(parser.get(), piece.data(), static_cast<int>(piece.size()), piece.empty()) == XML_STATUS_ERROR) {
        return Tell(source, report, parser.get(), piece.empty(), reader.at());
      }
      if (piece.empty()) return;
    }
  }

 private:
  // What stands outside of any root: declarations of elements, or another root.
  static bool IsPart(XML_Error code, std::string_view here) {
    if (code == XML_ERROR_JUNK_AFTER_DOC_ELEMENT) return StartsWith(here, "<") && here.size() > 1 && (here[1] == '?' || IsNameStart(here[1]));
    return code == XML_ERROR_SYNTAX && (StartsWith(here, "<!E") || StartsWith(here, "<!A") || StartsWith(here, "<!N"));
  }
  static bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

  static void Tell(Source& source, Report& report, XML_Parser parser, bool at_end, uint64_t size) {
    const XML_Error code = XML_GetErrorCode(parser);
    const auto at = static_cast<uint64_t>(std::max<XML_Index>(XML_GetCurrentByteIndex(parser), 0));
    if (at_end && (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN ||
                   code == XML_ERROR_PARTIAL_CHAR || code == XML_ERROR_UNCLOSED_CDATA_SECTION)) {
      return report.Truncated(size, "the end of the XML document's root");
    }
    if (code == XML_ERROR_UNKNOWN_ENCODING)
      return report.Undecided(at, "an encoding that is known here", XML_ErrorString(code));
    if (source.Random()) {
      const std::string here = source.ReadString(at, 16);
      Report text(report);
      ReadText(source, text, nullptr);
      if (text.clean() && IsPart(code, here)) {
        if (code == XML_ERROR_SYNTAX) return;  // A part of a DTD, as text.
        return report.Undecided(at, "one XML document", "another one behind it");
      }
      if (text.clean()) return report.Ungrammatical(at, "well-formed XML", XML_ErrorString(code));
    }
    report.Damaged(at, "well-formed XML", XML_ErrorString(code));
  }
};

}  // namespace

std::unique_ptr<Decoder> MakeXml() {
  return std::make_unique<Xml>();
}

}  // namespace reprise::backup
