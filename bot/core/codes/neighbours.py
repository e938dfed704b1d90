"""Rooms 05 and 06: what services claim and ask of each other, and what cannot be rendered."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.codes.entry import CHECKOUT, Entry

_ENVIRONMENTS = "platform/environments.yaml"
_PAY = "services/pay/platform.yaml"
_ONE_CLUSTER = {
    _ENVIRONMENTS: "environments:\n  prod: {kind: production, cluster: {name: eu}}\n"
    "  eu-prod: {kind: production, cluster: {name: eu}}\n",
    CHECKOUT: "deploy_to: [eu-prod]\n",
}
_SHARED = {
    _ENVIRONMENTS: "environments:\n  prod: {kind: production, default: true, cluster: {name: eu},\n"
    "    features: {external_secrets: true}, secrets: {store: aws-secretsmanager, region: eu-west-1},\n"
    "    terraform: {backend: {s3: {bucket: state, region: eu-west-1}}, providers: {aws: {region: eu-west-1}}},\n"
    '    namespace: "{team}-{env}"}\n',
}
_LEDGER = "the-ledger-of-everything-we-ever-sold"
_LABELS = "platform/recipes/shared-bucket/v1/templates/claim.yaml"
_RECIPE = {
    "platform/recipes/shared-bucket/v1/recipe.yaml": "title: Shared bucket\ndescription: A folder of the team's "
    "bucket.\ntype: bucket\nform: kubernetes\nstateful: false\nsizes: []\n"
    "outputs:\n  name: {from: value, value: shared}\n",
    "platform/recipes.yaml": "recipes:\n- {provides: bucket, match: {}, recipe: shared-bucket}\n",
    CHECKOUT: "needs: {uploads: bucket}\n",
}
_CLAIM = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "{{ service.name }}-{{ need.name }}"\n'
_PLACE = '  namespace: "{{ place }}"\n'


ENTRIES: Mapping[str, Entry] = {
    "CW0501": Entry(
        "a name that is taken",
        "Two folders hold a service of the same name. The one that was there first keeps it.",
        "A service's name is its address, its namespace and its place in the GitOps repository.",
        {CHECKOUT: "port: 8080\n", "services/shop/checkout/platform.yaml": "port: 8080\n"},
        {CHECKOUT: "port: 8080\n", "services/shop/shop-checkout/platform.yaml": "port: 8080\n"},
    ),
    "CW0502": Entry(
        "a host that is taken",
        "Two services of one environment have a route with the same host and path. The one that was there first keeps "
        "it.",
        "Which service answers must never be chance.",
        {CHECKOUT: "port: 8080\n", _PAY: "environments: {prod: {routes: [{host: checkout.acme.com}]}}\n"},
        {CHECKOUT: "port: 8080\n", _PAY: "environments: {prod: {routes: [{host: checkout.acme.com, path: /pay}]}}\n"},
    ),
    "CW0503": Entry(
        "a namespace that is taken",
        "The namespace rule gives two services of one cluster the same namespace.",
        "Both would overwrite each other's objects.",
        {**_ONE_CLUSTER, "services/checkout-eu/platform.yaml": "deploy_to: [prod]\n"},
        {**_ONE_CLUSTER, "services/checkout-europe/platform.yaml": "deploy_to: [prod]\n"},
    ),
    "CW0504": Entry(
        "a used service that is not there",
        "`uses` names a service that does not exist, or does not run in this environment.",
        "Every call to it would fail.",
        {CHECKOUT: "uses: [stok]\n", "services/stock/platform.yaml": "port: 8080\n"},
        {CHECKOUT: "uses: [stock]\n", "services/stock/platform.yaml": "port: 8080\n"},
    ),
    "CW0505": Entry(
        "a used service that does not allow it",
        "The service belongs to another team and does not name this one under `allow.callers`.",
        "The network would refuse the calls.",
        {CHECKOUT: "uses: [stock]\n", "services/stock/platform.yaml": "owner: storefront\n"},
        {
            CHECKOUT: "uses: [stock]\n",
            "services/stock/platform.yaml": "owner: storefront\nallow: {callers: [checkout]}\n",
        },
    ),
    "CW0506": Entry(
        "names of objects that are taken",
        "Two services share a namespace, and one's name, alone or with that of a need, is the same as the other's: the "
        "objects of `checkout` and its need `db` are called `checkout-db`.",
        "Both would make objects of that name and overwrite each other's.",
        {**_SHARED, CHECKOUT: "needs: {db: postgres}\n", "services/checkout-db/platform.yaml": "port: 8080\n"},
        {**_SHARED, CHECKOUT: "needs: {db: postgres}\n", "services/checkout-database/platform.yaml": "port: 8080\n"},
    ),
    "CW0601": Entry(
        "a name that Kubernetes refuses",
        "A name that is put together from service, need or environment is too long for its kind of object, or a "
        "template makes one with other letters than `a-z`, digits and `-`.",
        "Kubernetes refuses the object. It is never cut silently: two names could meet.",
        {f"services/{_LEDGER}/platform.yaml": "needs: {the-old-archive: postgres}\ndeploy_to: [dev]\n"},
        {f"services/{_LEDGER}/platform.yaml": "needs: {db: postgres}\ndeploy_to: [dev]\n"},
    ),
    "CW0602": Entry(
        "a label that Kubernetes refuses",
        "A template puts a text into a label that is too long for one, or has signs that no label may have. The filter "
        "`label` makes any text fit.",
        "Kubernetes refuses the object.",
        {_LABELS: _CLAIM + _PLACE + '  labels: {acme.com/place: "{{ place }}/{{ need.name }}"}\n', **_RECIPE},
        {_LABELS: _CLAIM + _PLACE + '  labels: {acme.com/place: "{{ place | label }}"}\n', **_RECIPE},
    ),
    "CW0603": Entry(
        "two objects in one place",
        "Templates of one blueprint or recipe make two objects of the same kind and name.",
        "One would silently replace the other.",
        {
            _LABELS: "".join(f"- {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {n}}}}}\n" for n in "aa"),
            **_RECIPE,
        },
        {
            _LABELS: "".join(f"- {{apiVersion: v1, kind: ConfigMap, metadata: {{name: {n}}}}}\n" for n in "ab"),
            **_RECIPE,
        },
    ),
    "CW0604": Entry(
        "an environment without Terraform",
        "A recipe makes Terraform, and the environment names no backend for its state.",
        "A root needs a place for its state and the settings of its providers.",
        {_ENVIRONMENTS: "environments:\n  prod: {kind: production, cluster: {name: eu}}\n"},
        {
            _ENVIRONMENTS: "environments:\n  prod:\n    kind: production\n    cluster: {name: eu}\n    terraform:\n"
            "      backend: {s3: {bucket: acme-state, region: eu-west-1}}\n"
            "      providers: {aws: {region: eu-west-1}}\n"
        },
    ),
    "CW0605": Entry(
        "state that cannot stand apart from its service",
        "Data is protected in this environment, and the recipe in the cluster writes a ConfigMap for its outputs.",
        "Protected data stands in a namespace of its own, and only Secrets are carried over from there.",
        {"platform/recipes.yaml": "recipes:\n- {provides: bucket, match: {kind: production}, recipe: obc-bucket}\n"},
        {"platform/recipes.yaml": "recipes:\n- {provides: bucket, match: {kind: production}, recipe: aws-s3}\n"},
    ),
}
