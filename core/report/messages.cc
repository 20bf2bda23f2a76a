#include "core/report/messages.h"

#include <unordered_map>

namespace reprise::report {

const std::vector<Message>& AllMessages() {
  static const std::vector<Message> messages = {
      // A run's situation.
      {"situation.title", "POINT DE SITUATION — exécution $0 : $1", "SITUATION — run $0: $1"},
      {"situation.exercise", "*** EXERCICE : rien de réel n'est touché ***", "*** EXERCISE: nothing real is touched ***"},
      {"situation.printed", "Édité le $0", "Printed $0"},
      {"situation.state", "État : $0", "State: $0"},
      {"situation.paused", "En pause ($0) : $1", "Paused ($0): $1"},
      {"situation.started", "Commencée le $0 par $1", "Started $0 by $1"},
      {"situation.ended", "Terminée le $0", "Ended $0"},
      {"situation.expires", "Le plan expire le $0", "The plan expires $0"},
      {"situation.plan", "Plan $0, tour $1", "Plan $0, round $1"},
      {"situation.counts",
       "$0 cible(s) : $1 réussie(s), $2 en échec, $3 en cours, $4 en attente, $5 différée(s), $6 autre(s)",
       "$0 target(s): $1 succeeded, $2 failed, $3 at work, $4 waiting, $5 deferred, $6 other"},
      {"situation.stages", "ÉTAPES ET VAGUES", "STAGES AND WAVES"},
      {"situation.stage", "Étape $0 : $1", "Stage $0: $1"},
      {"situation.wave", "vague $0 : $1, $2 sur $3 réussie(s)$4", "wave $0: $1, $2 of $3 succeeded$4"},
      {"situation.waits", "attend une preuve — $0", "waits for a proof — $0"},
      {"situation.failures", ", $0 en échec", ", $0 failed"},
      {"situation.gates", "POINTS DE PASSAGE", "GATES"},
      {"situation.gate", "$0 : $1 — $2 ($3 signature(s) sur $4)", "$0: $1 — $2 ($3 of $4 signature(s))"},
      {"situation.exceptions", "POSTES QUI N'ONT PAS ABOUTI ($0)", "HOSTS THAT DID NOT COME THROUGH ($0)"},
      {"situation.exclusions", "ÉCARTÉS DU PLAN ($0)", "LEFT OUT OF THE PLAN ($0)"},
      {"situation.none", "aucun", "none"},
      {"situation.hint", "à essayer : $0", "try: $0"},
      {"situation.noreason", "sans motif connu", "no reason known"},
      // Coverage.
      {"coverage.title", "COUVERTURE — $0", "COVERAGE — $0"},
      {"coverage.line", "$0 sur $1 ($2 %)", "$0 of $1 ($2 %)"},
      {"coverage.empty", "Aucun poste de l'inventaire ne répond au critère : rien n'est prouvé.",
       "No host of the inventory matches: nothing is proven."},
      {"coverage.selector", "Dénominateur : $0", "Denominator: $0"},
      {"coverage.detail", "Prouvés : $0. Non : $1. Inconnus : $2. Exemptés (hors dénominateur) : $3.",
       "Proven: $0. No: $1. Unknown: $2. Exempt (not in the denominator): $3."},
      {"coverage.gaps", "POSTES NON COUVERTS ($0)", "HOSTS NOT COVERED ($0)"},
      {"coverage.exempt", "EXEMPTÉS ($0)", "EXEMPT ($0)"},
      {"coverage.whole", "Tous les postes sont couverts, preuve à l'appui.", "Every host is covered, with evidence."},
      {"coverage.unknown", "Inconnu n'est jamais compté comme bon.", "Unknown is never counted as good."},
      // Applications.
      {"board.title", "APPLICATIONS REMISES EN SERVICE ($0 suivie(s))", "APPLICATIONS COMING BACK ($0 followed)"},
      {"board.empty", "Aucune application n'a encore de preuve.", "No application has any evidence yet."},
      {"board.application", "$0 : $1", "$0: $1"},
      {"board.rung", "$0 : $1, $2, sur $3", "$0: $1, $2, on $3"},
      {"app.unspecified", "inconnu", "unknown"},
      {"app.not_started", "non commencée", "not started"},
      {"app.data_found", "données retrouvées", "data found"},
      {"app.data_ok", "données prouvées saines", "data proven sound"},
      {"app.restored", "restaurée", "restored"},
      {"app.in_test", "en test", "in test"},
      {"app.degraded_no_interface", "en mode dégradé, sans interface", "degraded mode, without interfaces"},
      {"app.interfaced", "interfacée", "interfaced"},
      {"app.nominal", "en service nominal", "nominal"},
      {"app.abandoned", "abandonnée", "abandoned"},
      {"claim.unspecified", "inconnu", "unknown"},
      {"claim.holds", "prouvé", "proven"},
      {"claim.fails", "non", "no"},
      {"claim.unknown", "inconnu", "unknown"},
      // Why a host is not covered.
      {"code.hold", "gel de preuve", "evidence hold"},
      {"code.protected_class", "classe protégée", "protected class"},
      {"code.no_agent", "aucun agent possible", "no agent possible"},
      {"code.not_enrolled", "jamais enrôlé", "never enrolled"},
      {"code.expelled", "expulsé", "expelled"},
      {"code.not_admitted", "pas encore admis (quarantaine)", "not yet admitted (quarantine)"},
      {"code.quarantine", "en quarantaine", "in quarantine"},
      {"code.not_planned", "dans aucun plan", "in no plan"},
      {"code.unreachable", "injoignable", "unreachable"},
      {"code.deferred", "différé", "deferred"},
      {"code.failed", "échec", "failed"},
      {"code.refused", "refusé par l'agent", "refused by the agent"},
      {"code.too_old", "preuve trop ancienne", "evidence too old"},
      {"code.claim_fails", "la sonde dit non", "the probe says no"},
      {"code.claim_unknown", "la sonde n'a pas pu le dire", "the probe could not tell"},
      {"code.not_claimed", "rien ne le prouve", "nothing proves it"},
      {"code.skipped", "sauté", "skipped"},
      {"code.cancelled", "exécution abandonnée", "run aborted"},
      {"code.expired", "plan expiré", "plan expired"},
      {"code.waiting", "en attente de son tour", "waiting for its turn"},
      {"code.verdict", "copie non prouvée saine", "copy not proven sound"},
      {"code.in_progress", "en cours", "in progress"},
      {"code.zone", "zone non admise", "zone not allowed"},
      {"code.trust", "état de confiance non admis", "trust state not allowed"},
      {"code.asset_class", "classe non admise", "class not allowed"},
      // Words of the vocabulary.
      {"run.unspecified", "inconnu", "unknown"},
      {"run.running", "en cours", "running"},
      {"run.paused", "en pause", "paused"},
      {"run.catching_up", "en rattrapage des absents", "catching up with absent hosts"},
      {"run.aborting", "en cours d'abandon", "aborting"},
      {"run.succeeded", "réussie", "succeeded"},
      {"run.partial", "terminée en partie", "partly succeeded"},
      {"run.failed", "échouée", "failed"},
      {"run.aborted", "abandonnée", "aborted"},
      {"stage.unspecified", "inconnue", "unknown"},
      {"stage.pending", "à venir", "pending"},
      {"stage.gated", "attend une décision", "waits for a decision"},
      {"stage.running", "en cours", "running"},
      {"stage.settled", "faite", "settled"},
      {"wave.unspecified", "inconnue", "unknown"},
      {"wave.pending", "à venir", "pending"},
      {"wave.gated", "attend une décision", "waits for a decision"},
      {"wave.running", "en cours", "running"},
      {"wave.settled", "faite", "settled"},
      {"wave.breached", "trop d'échecs", "over its failure budget"},
      {"gate.unspecified", "inconnu", "unknown"},
      {"gate.locked", "fermé", "locked"},
      {"gate.ready", "prêt, attend une décision", "ready, waits for a decision"},
      {"gate.passed", "franchi", "passed"},
      {"gate.waived", "franchi par dérogation", "waived"},
      {"target.unspecified", "inconnu", "unknown"},
      {"target.waiting", "en attente", "waiting"},
      {"target.active", "en cours", "at work"},
      {"target.succeeded", "réussi", "succeeded"},
      {"target.failed", "échec", "failed"},
      {"target.rolling_back", "retour arrière en cours", "being undone"},
      {"target.rolled_back", "échec, retour arrière fait", "failed, undone"},
      {"target.deferred", "différé (injoignable)", "deferred (unreachable)"},
      {"target.skipped", "sauté", "skipped"},
      {"target.cancelled", "annulé", "cancelled"},
      {"target.expired", "plan expiré", "plan expired"},
      {"pause.operator", "par une personne", "by a person"},
      {"pause.budget", "budget d'échecs dépassé", "failure budget exceeded"},
      {"pause.stop", "arrêt d'urgence", "emergency stop"},
  };
  return messages;
}

std::optional<Language> LanguageFromName(std::string_view name) {
  if (name == "fr") return Language::kFrench;
  if (name == "en") return Language::kEnglish;
  return std::nullopt;
}

namespace {

const Message* Find(std::string_view key) {
  static const auto index = [] {
    std::unordered_map<std::string_view, const Message*> rows;
    for (const Message& message : AllMessages()) rows.emplace(message.key, &message);
    return rows;
  }();
  const auto found = index.find(key);
  return found == index.end() ? nullptr : found->second;
}

}  // namespace

bool HasMessage(std::string_view key) { return Find(key) != nullptr; }

std::string TextOf(Language language, std::string_view key) {
  const Message* message = Find(key);
  if (message == nullptr) return std::string(key);
  return std::string(language == Language::kFrench ? message->french : message->english);
}

}  // namespace reprise::report
