"""Rooms 07, 08 and 09: what is refused though it could be rendered, and what halts a delivery."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes.entry import CHECKOUT, Entry

_CURSOR = ".causeway/cursor.json in the GitOps repo"
_KEPT = ".causeway/kept.json in the GitOps repo"
_CONFIG = "platform/config.yaml"
_HEAD = "platform_team: platform\n"
_DESTROY = "platform/destroy.yaml"
_DEV = "  dev: {kind: development, default: true, cluster: {name: eu-dev}}\n"
_PROD = "  prod: {kind: production, default: true, cluster: {name: eu-prod}}\n"
_ENVIRONMENTS = "platform/environments.yaml"
_FREEZES = "  prod: {kind: production, default: true, cluster: {name: eu-prod}"
_CHART = "environments/prod/payments/checkout/kubernetes in the GitOps repo"

ENTRIES: Mapping[str, Entry] = {
    "CW0701": Entry(
        "data that would be replaced",
        "A change of this field cannot be done in place: the recipe names it under `replaces_on`. The new database or "
        "bucket starts empty.",
        "What is stored in the old one would be gone for its users.",
        {CHECKOUT: 'needs: {db: {type: postgres, version: "16"}}\n'},
        {CHECKOUT: 'needs: {db: {type: postgres, version: "17"}}\n'},
    ),
    "CW0702": Entry(
        "a secret in plain sight",
        "The value of a variable, or a word of a command, looks like a password, a token or a private key.",
        "Everyone who can read this repository, now or later, could use it; a commit cannot be taken back. Change it "
        "first if it is real.",
        {CHECKOUT: "env: {API_TOKEN: hunter2}\n"},
        {CHECKOUT: "secrets: [API_TOKEN]\n"},
    ),
    "CW0703": Entry(
        "a team or environment that still holds something",
        "A team or an environment is removed while services or kept data are in it.",
        "Its Argo CD project and namespaces would vanish under what still runs in them.",
        {"platform/environments.yaml": f"environments:\n{_DEV}", CHECKOUT: "port: 8080\n"},
        {"platform/environments.yaml": f"environments:\n{_DEV}{_PROD}", CHECKOUT: "port: 8080\n"},
    ),
    "CW0704": Entry(
        "a removal of very many services at once",
        "One change removes more than 10 services and more than 20 % of an environment, or all of three or more, and "
        "nobody confirmed it.",
        "A wrong merge or a moved folder can empty an environment in seconds; that much must have been meant.",
        {_DESTROY: "destroy: []\n"},
        {
            _DESTROY: "destroy:\n- {removals: {environment: dev, at_most: 40}, reason: the old shop goes, "
            "until: '2026-12-31'}\n"
        },
    ),
    "CW0751": Entry(
        "a frozen environment",
        "`freeze` of the environment holds now, and the change moves something that runs there. A rollback passes.",
        "Nothing that runs there shall change in that time.",
        {_ENVIRONMENTS: f'environments:\n{_FREEZES}, freeze: [{{cron: "0 18 * * 5", for: 62h}}]}}\n'},
        {_ENVIRONMENTS: "the same: merge when the time is over\n"},
    ),
    "CW0752": Entry(
        "an environment on hold",
        "`platform/holds.yaml` names the environment, and the change moves something that runs there. A rollback "
        "passes.",
        "Somebody asked that nothing changes there, for the reason that stands beside it.",
        {"platform/holds.yaml": "holds: {prod: {reason: incident 4711, by: ada}}\n"},
        {"platform/holds.yaml": "holds: {}\n"},
    ),
    "CW0753": Entry(
        "a build that skips an environment",
        "`promote_from` of the environment names another one, and that does not run this build on the default branch.",
        "What fails should fail where it hurts less.",
        {
            "services/checkout/releases.yaml": "staging: {image: 'ghcr.io/acme/checkout:1.4.2'}\n"
            "prod: {image: 'ghcr.io/acme/checkout:1.5.0'}\n"
        },
        {
            "services/checkout/releases.yaml": "staging: {image: 'ghcr.io/acme/checkout:1.5.0'} # merged before\n"
            "prod: {image: 'ghcr.io/acme/checkout:1.5.0'}\n"
        },
    ),
    "CW0754": Entry(
        "a change that nobody could review",
        "It was pushed to the default branch without a pull request, and an environment that it moves says "
        "`require_pull_request: true`. The service keeps its last version.",
        "A direct push goes round the plan, the policies and the people who approve.",
        {"the default branch": "git push origin main\n"},
        {"the default branch": "git push origin my-change # and open a pull request\n"},
    ),
    "CW0801": Entry(
        "Causeway's own record cannot be read",
        "A file below `.causeway/` in the GitOps repository is missing parts, or was edited.",
        "Causeway knows from it what it wrote and what it keeps; without it every change could destroy.",
        {_KEPT: "<<<<<<< HEAD\n"},
        {_KEPT: "as it was: git checkout <good commit> -- .causeway/kept.json\n"},
    ),
    "CW0802": Entry(
        "another kit wrote what is live",
        "The cursor names a renderer that this Causeway does not carry, or the same renderer with other content.",
        "Rendering on with another kit would change every service without a plan that shows it.",
        {_CONFIG: f"{_HEAD}gitops: {{repo: acme/gitops}}\nkit: {{renderer: 1}} # the bot carries 3 and 2\n"},
        {
            _CONFIG: f"{_HEAD}gitops: {{repo: acme/gitops}}\n"
            "kit: {renderer: 2} # raised while the bot still carried 1\n"
        },
    ),
    "CW0803": Entry(
        "something foreign stands in the way",
        "In the GitOps repository, somebody else's file or folder stands where a service's output belongs. Only that "
        "service is blocked.",
        "Only owned paths are ever written or removed, so that nobody's files are lost.",
        {_CHART: "deployment.yaml (by hand)\n"},
        {_CHART: "(nothing, before the service comes)\n"},
    ),
    "CW0804": Entry(
        "somebody changed what Causeway wrote",
        "An owned path in the GitOps repository is not what was rendered. It is restored, or left so where "
        "`gitops.drift` is `hold`.",
        "What runs must be what the platform repository says.",
        {_CHART: "deployment-checkout.yaml: replicas set to 5 by hand\n"},
        {CHECKOUT: "scale: 5\n"},
    ),
    "CW0805": Entry(
        "the cursor is missing",
        "Causeway's output is in the GitOps repository, but `.causeway/cursor.json` is not.",
        "Without it nobody knows which commit is live, and what may be removed.",
        {_CURSOR: "(deleted)\n"},
        {_CURSOR: "restored from that repository's history, or taken over: causeway resume <commit>\n"},
    ),
    "CW0806": Entry(
        "the GitOps repository belongs to another platform",
        "The cursor names another platform repository.",
        "Two platform repositories that write to one GitOps repository would remove each other's services.",
        {_CONFIG: f"{_HEAD}gitops: {{repo: acme/gitops}} # another platform writes there\n"},
        {_CONFIG: f"{_HEAD}gitops: {{repo: acme/gitops-shop}}\n"},
    ),
    "CW0807": Entry(
        "the live commit left the history",
        "The commit that the cursor names is no longer in the history of the platform's default branch.",
        "The branch was rewritten. Going on could undo what is live without anybody having read that change.",
        {"the default branch": "git push --force origin main\n"},
        {"the default branch": "git revert <commit> && git push origin main\n"},
    ),
    "CW0901": Entry(
        "a GitOps repository that this platform may not use",
        "`gitops.repo` names a repository that the bot's own settings do not list for this platform.",
        "Which repositories a platform may write to is decided where the bot runs: no pull request can widen it.",
        {_CONFIG: f"{_HEAD}gitops: {{repo: somebody/else}}\n"},
        {_CONFIG: f"{_HEAD}gitops: {{repo: acme/gitops}} # listed in the bot's settings\n"},
    ),
    "CW0902": Entry(
        "the GitOps repository does not take the delivery",
        "The head of the branch moved under every try, or the branch's rules refuse the bot.",
        "Nothing is lost; the bot tries again by itself. It cannot win against somebody who pushes without pause.",
        {"rules of the branch": "every push needs a pull request; nobody is exempt\n"},
        {"rules of the branch": "only the bot may push\n"},
    ),
}
