#include "plugins/mail/report.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>

#include "plugins/sdk/file.h"

namespace reprise::mail {
namespace {

namespace fs = std::filesystem;

struct Words {
  std::string_view french, english;
};

Words WordsOf(BoxState state) {
  switch (state) {
    case BoxState::kListed: return {"recensée", "listed"};
    case BoxState::kSyncing: return {"en cours", "syncing"};
    case BoxState::kPrestaged: return {"précopiée", "prestaged"};
    case BoxState::kVerified: return {"vérifiée", "verified"};
    case BoxState::kCutOver: return {"basculée", "cut over"};
    case BoxState::kFailed: return {"en échec", "failed"};
    case BoxState::kExcluded: return {"exclue", "excluded"};
  }
  return {"", ""};
}

Words WordsOfCode(const std::string& code) {
  static const std::map<std::string, Words> words = {
      {"over_quota", {"boîte cible pleine", "the target mailbox is full"}},
      {"too_large", {"message plus grand que la cible n'accepte", "a message is larger than the target takes"}},
      {"malformed", {"message que la cible refuse", "a message that the target refuses"}},
      {"refused", {"message que la cible refuse", "a message that the target refuses"}},
      {"infected", {"infecté, en quarantaine", "infected, in quarantine"}},
      {"not_scanned", {"non analysé, retenu", "not scanned, held"}},
      {"not_given", {"message que la source liste mais ne donne pas", "a message that the source lists and does not give"}},
      {"corrupt", {"message endommagé à la source", "a message that is damaged in the source"}},
      {"server_error", {"la source échoue à donner ce message", "the source fails to give this message"}},
      {"no_permission", {"message que la source ne peut pas lire", "a message that the source may not read"}},
      {"compressed", {"message compressé : à lire par son serveur", "a compressed message: to be read through its server"}},
      {"not_a_file", {"ce n'est pas un fichier", "no file"}},
      {"auth_failed", {"connexion refusée pour cette boîte", "log-in refused for this mailbox"}},
      {"connection_lost", {"connexion perdue trop souvent", "the connection was lost too often"}},
      {"unreachable", {"serveur injoignable", "the server is not reached"}},
      {"login_cut", {"le serveur coupe à l'ouverture : la boîte y existe-t-elle ?", "the server ends the log-in: has it such a mailbox?"}},
      {"limited", {"serveur saturé", "the server asks for less"}},
      {"many_vanished", {"trop de messages disparus de la source à la fois", "too many messages vanished from the source at once"}},
      {"differs", {"source et cible diffèrent", "source and target differ"}},
      {"folder_refused", {"dossier que la cible ne peut pas avoir", "a folder that the target cannot have"}},
      {"bad_name", {"mot-clé que la cible ne peut pas avoir", "a keyword that the target cannot have"}},
      {"flags_refused", {"la cible refuse de changer les drapeaux", "the target lets no flags be changed"}},
      {"still_receiving", {"du courrier arrive encore à la source", "mail still comes into the source"}},
      {"not_closed", {"la source ne se ferme pas", "the source does not close"}},
      {"in_use", {"déjà en cours de migration", "being moved by another run"}},
  };
  const auto found = words.find(code);
  return found == words.end() ? Words{code, code} : found->second;
}

std::string Utc(int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts));
}

std::string Joined(const FolderPath& path) {
  std::string text;
  for (const std::string& level : path) text += (text.empty() ? "" : "/") + level;
  return text;
}

// Quoted, and no formula for a spreadsheet, whatever a name begins with.
std::string Cell(const std::string& text) {
  std::string cell = "\"";
  if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) cell += '\'';
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c == '\n' || c == '\r' ? ' ' : c;
  }
  return cell + "\"";
}

// Names and servers' words come from elsewhere: nothing of them moves the cursor of a terminal.
std::string Plain(const std::string& text) {
  std::string plain;
  for (const char c : text) plain += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  return plain;
}

}  // namespace

BoxReport ReportOf(BoxResult result, const Ledger* ledger) {
  BoxReport report;
  report.result = std::move(result);
  if (ledger == nullptr) return report;
  const auto tallies = ledger->Tallies();
  for (const MessageState state : {MessageState::kCopied, MessageState::kVerified}) {
    report.there += tallies[size_t(state)].messages;
    report.bytes += tallies[size_t(state)].bytes;
  }
  for (FolderPath& folder : ledger->RefusedFolders()) {
    if (report.troubles.size() < kTroublesMax) report.troubles.push_back({std::move(folder), {}, 0, "folder_refused"});
  }
  const uint64_t troubled = tallies[size_t(MessageState::kHeld)].messages + tallies[size_t(MessageState::kFailed)].messages;
  if (troubled == 0) return report;
  for (const FolderRow& folder : ledger->Folders()) {
    for (MessageRow& row : ledger->Troubled(folder.id, kTroublesMax - report.troubles.size())) {
      report.troubles.push_back({folder.source, row.date, row.bytes, std::move(row.note)});
    }
    if (report.troubles.size() >= kTroublesMax) break;
  }
  report.more_troubles = troubled - std::min<uint64_t>(troubled, report.troubles.size());
  return report;
}

std::string ReportText(const std::string& batch, const std::string& doing, const std::string& when, const std::vector<BoxReport>& boxes) {
  std::string text = "CONFIDENTIEL : responsable de la messagerie seulement. / CONFIDENTIAL: for the mail lead only.\n\n";
  text += "Lot / batch: " + batch + "\nÉtape / step: " + doing + "\nHeure / time: " + when + " UTC\n\n";
  std::map<BoxState, size_t> states;
  for (const BoxReport& box : boxes) ++states[box.result.state];
  for (const auto& [state, many] : states) {
    const Words words = WordsOf(state);
    text += std::to_string(many) + "  " + std::string(words.french) + " / " + std::string(words.english) + "\n";
  }
  const auto unscanned = std::count_if(boxes.begin(), boxes.end(), [](const BoxReport& box) { return box.result.unscanned; });
  if (unscanned > 0) text += std::to_string(unscanned) + "  pièces jointes non analysées / attachments not scanned\n";
  // Those that somebody has to look at come first.
  for (const bool troubled : {true, false}) {
    text += troubled ? "\nÀ traiter / to be looked at\n" : "\nLes autres / the others\n";
    bool any = false;
    for (const BoxReport& box : boxes) {
      const BoxResult& result = box.result;
      if ((result.state == BoxState::kFailed || !box.troubles.empty()) != troubled) continue;
      any = true;
      text += "  " + Plain(result.box.mailbox) + ": " + std::string(WordsOf(result.state).french) + " / " + std::string(WordsOf(result.state).english) + ", " +
              std::to_string(box.there) + " messages, " + std::to_string(box.bytes >> 10) + " KiB\n";
      if (result.unscanned) text += "    pièces jointes non analysées / attachments not scanned\n";
      if (!result.why.empty()) text += "    " + std::string(WordsOfCode(result.why).french) + " / " + std::string(WordsOfCode(result.why).english) + "\n";
      if (!result.said.empty()) text += "    serveur / server: " + Plain(result.said.substr(0, 300)) + "\n";
      if (result.verified) text += "    " + result.verified->InFrench() + " / " + result.verified->Shown() + "\n";
      if (result.state == BoxState::kExcluded) text += "    " + Plain(result.box.excluded) + "\n";
      for (const Trouble& one : box.troubles) {
        text += "    " + Plain(Joined(one.folder)) + ", " + Utc(one.date.unix_seconds) + ", " + std::to_string(one.bytes) + " octets/bytes: " +
                std::string(WordsOfCode(one.why).french) + " / " + std::string(WordsOfCode(one.why).english) + "\n";
      }
      if (box.more_troubles > 0) text += "    … " + std::to_string(box.more_troubles) + "\n";
    }
    if (!any) text += "  –\n";
  }
  return text;
}

std::string ReportCsv(const std::string& batch, const std::vector<BoxReport>& boxes) {
  std::string text = "lot/batch,boîte/mailbox,cible/target,état/state,cause/why,messages,octets/bytes,dossier/folder,date,taille/size,analyse/scan\r\n";
  for (const BoxReport& box : boxes) {
    const std::string head = Cell(batch) + "," + Cell(box.result.box.mailbox) + "," + Cell(box.result.box.target_user) + ",";
    const std::string counts = std::to_string(box.there) + "," + std::to_string(box.bytes);
    text += head + Cell(std::string(NameOf(box.result.state))) + "," + Cell(box.result.why) + "," + counts + ",,,," + (box.result.unscanned ? Cell("non/no") : "") + "\r\n";
    for (const Trouble& one : box.troubles) {
      text += head + Cell("message") + "," + Cell(one.why) + ",,," + Cell(Joined(one.folder)) + "," + Cell(Utc(one.date.unix_seconds)) + "," +
              std::to_string(one.bytes) + ",\r\n";
    }
  }
  return text;
}

void WriteReport(const fs::path& folder, const std::string& batch, const std::string& doing, const std::vector<BoxReport>& boxes) {
  fs::create_directories(folder);
  fs::permissions(folder, fs::perms::owner_all);
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  sdk::WriteFileAtomically(folder / (batch + ".txt"), ReportText(batch, doing, Utc(now), boxes), 0600);
  sdk::WriteFileAtomically(folder / (batch + ".csv"), ReportCsv(batch, boxes), 0600);
}

}  // namespace reprise::mail
