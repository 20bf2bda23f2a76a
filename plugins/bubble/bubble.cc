// A sealed bubble on a gateway. See README.md.
#include "plugins/bubble/counters.h"
#include "plugins/bubble/flow.h"
#include "plugins/bubble/gateway.h"
#include "plugins/bubble/post.h"
#include "plugins/bubble/prove.h"
#include "plugins/bubble/prove_side.h"
#include "plugins/bubble/readmit.h"
#include "plugins/sdk/sdk.h"

using reprise::bubble::AdmitPost;
using reprise::bubble::CloseFlow;
using reprise::bubble::Counters;
using reprise::bubble::Destroy;
using reprise::bubble::Gateway;
using reprise::bubble::OpenFlow;
using reprise::bubble::Prove;
using reprise::bubble::ProveInside;
using reprise::bubble::ProveOutside;
using reprise::bubble::Readmit;
using reprise::bubble::RemovePost;
REPRISE_PLUGIN("bubble", "1.0.0", "A sealed network bubble: gateway, proofs, posts, flows", Gateway, Destroy,
               ProveInside, ProveOutside, Prove, AdmitPost, RemovePost, Readmit, OpenFlow, CloseFlow, Counters)
