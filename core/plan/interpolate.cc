#include "core/plan/interpolate.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/plan/parameter_value.h"

namespace reprise::plan {
namespace {

constexpr std::string_view kParams = "params.";
constexpr char kLabels[] = "host.labels.";
constexpr size_t kLabelsSize = sizeof(kLabels) - 1;

const std::string* TextFor(const Host& host, bool label, const std::string& key) {
  if (label) return host.Label(key);
  return host.address.empty() ? nullptr : &host.address;
}

}  // namespace

class TemplateReader {
 public:
  TemplateReader(const Workflow& workflow, const ParameterValues& values, Diagnostics& diagnostics)
      : workflow_(workflow), values_(values), diagnostics_(diagnostics) {}

  Json Read(const Node& node, const Json::json_pointer& where) {
    switch (node.kind) {
      case Node::Kind::kScalar:
        return node.text.find("${") == std::string::npos ? JsonOfScalar(node, diagnostics_) : ReadText(node, where);
      case Node::Kind::kList: {
        Json list = Json::array();
        for (size_t i = 0; i < node.items.size(); ++i) list.push_back(Read(node.items[i], where / i));
        return list;
      }
      case Node::Kind::kMap: {
        Json map = Json::object();
        for (const NodeEntry& entry : node.entries) {
          if (entry.key.find("${") != std::string::npos) {
            diagnostics_.Error(entry.key_place, absl::StrCat("the key \"", entry.key, "\" holds a reference"))
                .Expected("a key as it is; only values are filled in");
          }
          map[entry.key] = Read(entry.value, where / entry.key);
        }
        return map;
      }
    }
    return Json();
  }

  std::vector<Template::HostText> host_texts;

 private:
  using Piece = Template::Piece;

  Json ReadText(const Node& node, const Json::json_pointer& where) {
    const Placed scalar{.text = node.text, .place = node.place};
    const std::string& text = node.text;
    std::vector<Piece> pieces;
    std::string plain;
    const auto keep_plain = [&] {
      if (!plain.empty()) pieces.push_back({.kind = Piece::Kind::kText, .text = std::move(plain), .place = node.place});
      plain.clear();
    };
    bool names_host = false;
    for (size_t at = 0; at < text.size();) {
      if (text.compare(at, 3, "$${") == 0) {
        plain += "${";
        at += 3;
        continue;
      }
      if (text.compare(at, 2, "${") != 0) {
        plain += text[at++];
        continue;
      }
      const size_t end = text.find('}', at);
      if (end == std::string::npos) {
        diagnostics_.Error(PlaceInside(scalar, at, text.size() - at, diagnostics_), "a reference without its end")
            .Expected("\"}\"")
            .Hint("\"${\" itself is written \"$${\"");
        return Json();
      }
      const std::string name = text.substr(at + 2, end - at - 2);
      const Place place = PlaceInside(scalar, at, end + 1 - at, diagnostics_);
      if (name.starts_with(kParams)) {
        const Json* value = FindParameter(name.substr(kParams.size()), place);
        if (value == nullptr) return Json();
        if (at == 0 && end + 1 == text.size()) return *value;
        if (value->is_array()) {
          diagnostics_.Error(place, absl::StrCat(name, " is a list and stands inside of a text"))
              .Expected("a list as the whole value");
          return Json();
        }
        plain += ShownValue(*value);
      } else {
        std::optional<Piece> piece = HostPiece(name, place);
        if (!piece) return Json();
        keep_plain();
        pieces.push_back(*std::move(piece));
        names_host = true;
      }
      at = end + 1;
    }
    if (!names_host) return plain;
    keep_plain();
    std::string shown;
    for (const Piece& piece : pieces) {
      absl::StrAppend(&shown, piece.kind == Piece::Kind::kText      ? piece.text
                              : piece.kind == Piece::Kind::kName    ? "${host.name}"
                              : piece.kind == Piece::Kind::kAddress ? "${host.address}"
                                                                    : absl::StrCat("${", kLabels, piece.text, "}"));
    }
    host_texts.push_back({where, std::move(pieces)});
    return shown;
  }

  const Json* FindParameter(const std::string& name, Place place) {
    const ParameterSpec* spec = workflow_.FindParameter(name);
    if (spec == nullptr) {
      std::vector<std::string> names;
      for (const ParameterSpec& known : workflow_.parameters) names.push_back(known.name);
      diagnostics_.Error(place, absl::StrCat("the workflow has no parameter \"", name, "\""))
          .ExpectedOneOf(names)
          .Nearest(name, names);
      return nullptr;
    }
    if (spec->secret) {
      diagnostics_.Error(place, absl::StrCat("the secret parameter ", name, " would stand in the plan"))
          .Expected("no secret in with: a plan is stored, and read by everybody who signs it")
          .Hint("put the secret in a file on the host and name the file");
      return nullptr;
    }
    const auto value = values_.find(name);
    if (value == values_.end()) {
      diagnostics_.Error(place, absl::StrCat("the parameter ", name, " has no value"))
          .Expected(absl::StrCat("a value given, or a default in line ", spec->place.line));
      return nullptr;
    }
    return &value->second;
  }

  std::optional<Piece> HostPiece(const std::string& name, Place place) {
    if (name == "host.name") return Piece{.kind = Piece::Kind::kName, .text = {}, .place = place};
    if (name == "host.address") return Piece{.kind = Piece::Kind::kAddress, .text = {}, .place = place};
    if (name.starts_with(kLabels) && name.size() > kLabelsSize) {
      return Piece{.kind = Piece::Kind::kLabel, .text = name.substr(kLabelsSize), .place = place};
    }
    const std::vector<std::string> known = {"params.<name>", "host.name", "host.address", "host.labels.<key>"};
    diagnostics_.Error(place, absl::StrCat("\"${", name, "}\" refers to nothing"))
        .ExpectedOneOf(known)
        .Nearest(name, known)
        .Hint("\"${\" itself is written \"$${\"");
    return std::nullopt;
  }

  const Workflow& workflow_;
  const ParameterValues& values_;
  Diagnostics& diagnostics_;
};

Template Template::Read(const Node* with, const Workflow& workflow, const ParameterValues& values,
                        Diagnostics& diagnostics) {
  Template made;
  if (with == nullptr) return made;
  TemplateReader reader(workflow, values, diagnostics);
  made.params_ = reader.Read(*with, Json::json_pointer());
  made.host_texts_ = std::move(reader.host_texts);
  return made;
}

Json Template::For(const Host& host) const {
  Json params = params_;
  for (const HostText& text : host_texts_) {
    std::string filled;
    for (const Piece& piece : text.pieces) {
      if (piece.kind == Piece::Kind::kText) {
        filled += piece.text;
      } else if (piece.kind == Piece::Kind::kName) {
        filled += host.name;
      } else if (const auto* found = TextFor(host, piece.kind == Piece::Kind::kLabel, piece.text)) {
        filled += *found;
      }
    }
    params[text.where] = std::move(filled);
  }
  return params;
}

std::vector<Template::Lack> Template::Missing(const Host& host) const {
  std::vector<Lack> lacks;
  for (const HostText& text : host_texts_) {
    for (const Piece& piece : text.pieces) {
      const bool label = piece.kind == Piece::Kind::kLabel;
      if (!label && piece.kind != Piece::Kind::kAddress) continue;
      if (TextFor(host, label, piece.text) != nullptr) continue;
      lacks.push_back({label ? absl::StrCat(kLabels, piece.text) : "host.address", piece.place});
    }
  }
  return lacks;
}

}  // namespace reprise::plan
