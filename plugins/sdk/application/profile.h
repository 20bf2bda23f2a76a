// An application as data: its bases, its service, its checks, its order. README.md has the format. Plain values; whoever
// holds a Profile holds one that was checked (profile_reader.h).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reprise::sdk::application {

// One question with its expected answer, to a base, to the service, or to both, which must then agree.
struct Check {
  std::string name;
  std::string title;                    // A line for people; may be empty.
  std::string module, query;            // One value of the module's base.
  std::string http, field;              // A path of the service; a field of its JSON ("totals.rows"). No field: any 200.
  std::optional<std::string> equals;
  std::optional<double> at_least;
  bool fresh_only = false;              // Holds only as long as nobody has worked in the base.
};

// A part of the application with a base of its own.
struct Module {
  std::string name, title;
  std::string base;                     // The final name; it is restored into <base>_restoring.
  std::string owner;                    // Role of the base that owns all in it; never a superuser.
  std::vector<std::string> after;       // Modules that must be restored before this one.
  std::vector<std::string> files;       // Patterns: the one file of the recovery point that is the dump.
  std::vector<Check> checks;
};

// A login of the application to its bases.
struct Role {
  std::string name;
  std::string os_user;                  // May log in as this role over the socket, without a password.
  std::string rights;                   // read, write, own
  std::string password_file;            // On the host; for logins over TCP. May be empty.
};

struct Cluster {
  std::string service;
  std::string folder, socket;           // Data folder; folder of the socket.
  int port = 5432;
  std::string listen;                   // An address; empty: the socket only.
  std::string user = "postgres";
  std::string programs = "/usr/lib/postgresql/15/bin";
  std::string time_zone = "UTC";        // The zone in which the dump writes its times.
  std::vector<std::string> settings;    // Lines of postgresql.conf.
};

// A program that the host's supervisor keeps running.
struct ServiceSpec {
  std::string name, title;
  std::string user;
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  // Unless both are empty it sees these and nothing else of the host (bubblewrap).
  std::vector<std::string> reads, writes;
  // A service that the vendor's package has brought: started and stopped, never written.
  bool existing = false;
};

struct Service {
  ServiceSpec spec;
  std::string address;                  // ADDRESS:PORT where its HTTP answers.
  std::vector<Check> checks;
};

// A flow to or from elsewhere, which degraded mode must not have.
struct Interface {
  std::string name;
  std::vector<int> listens;             // Ports of this host.
  std::vector<std::string> connects;    // ADDRESS:PORT or :PORT of the other end.
};

struct KeptFile {
  std::string path, content;
  unsigned mode = 0644;
};

struct Protocol {
  std::string id, owner;                // Who accepts: a function, such as "head of admissions".
  std::vector<Check> checks;
};

// Something that is taken out as a file.
struct ExportRule {
  std::string name, module;
  std::string query;                    // Rows, ordered; current_setting('reprise.month') is the month.
  std::string totals;                   // Per group: group, count of rows in the file, sum. By another way than `query`.
  std::string group, sum;               // Columns of the file that `totals` are of.
};

struct Post {
  std::vector<KeptFile> files;          // {server}, {address} and {port} stand for the service's place.
  std::string http, field;              // What the post asks to know that it reaches the service.
  std::optional<std::string> equals;
};

struct Profile {
  std::string name, title, vendor;
  Cluster cluster;
  std::vector<Module> modules;
  std::vector<Role> roles;
  Service service;
  std::vector<Interface> interfaces;
  std::optional<KeptFile> degraded;     // The file that tells the service to run without interfaces.
  std::vector<Check> degraded_checks;
  std::optional<Protocol> protocol;
  std::vector<ExportRule> exports;
  std::optional<Post> post;
  std::vector<std::string> stop_order;  // Of "service" and "cluster".
};

}  // namespace reprise::sdk::application
