"""Prints what a running authentik says of its own API, as JSON for this command.

Run it in authentik's folder, with its Python and its environment:

    PGOPTIONS='-c default_transaction_read_only=on' python print.py >release.json

It writes nothing to the database, and does none of what authentik does at its start.
What cannot be asked is named on stderr, and left out.
"""

import importlib
import inspect
import json
import os
import sys
from datetime import date, datetime, timedelta
from uuid import UUID

answer, sys.stdout = sys.stdout, sys.stderr  # authentik logs to stdout
sys.path.insert(0, os.getcwd())
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "authentik.root.settings")


def start():
    """Sets Django up, but reconciles nothing that would write."""
    import manage  # noqa: F401

    from authentik.blueprints.apps import ManagedAppConfig as Config

    if hasattr(Config, "_reconcile"):
        reconcile = Config._reconcile
        tenant = getattr(Config, "RECONCILE_TENANT_CATEGORY", "tenant")
        Config._reconcile = lambda self, kind: None if kind == tenant else reconcile(self, kind)
    elif hasattr(Config, "reconcile"):  # 2023.10
        names = lambda app: [n for n in dir(app) if n.startswith("reconcile_load") or n.endswith("_loaded")]  # noqa: E731
        Config.reconcile = lambda self: [getattr(self, name)() for name in names(self)] and None
    import django

    django.setup()


start()

from django.apps import apps  # noqa: E402
from django.contrib.auth.models import AnonymousUser  # noqa: E402
from django.core.exceptions import EmptyResultSet, FieldDoesNotExist  # noqa: E402
from django.db.models import NOT_PROVIDED, QuerySet, UniqueConstraint  # noqa: E402
from django.urls import get_resolver  # noqa: E402
from django.utils.functional import Promise  # noqa: E402
from django_filters.rest_framework import DjangoFilterBackend  # noqa: E402
from drf_spectacular.generators import SchemaGenerator  # noqa: E402
from drf_spectacular.plumbing import build_mock_request  # noqa: E402
from drf_spectacular.types import OpenApiTypes  # noqa: E402
from drf_spectacular.utils import OpenApiRequest, OpenApiResponse, PolymorphicProxySerializer  # noqa: E402
from rest_framework import permissions, serializers, validators  # noqa: E402
from rest_framework.fields import empty  # noqa: E402
from rest_framework.filters import OrderingFilter  # noqa: E402

len(get_resolver().url_patterns)  # imports all in the order of the server
ROUTER = importlib.import_module("authentik.api.v3.urls").router


def attempt(what, ask, otherwise=None):
    """The result of ask, or otherwise if it fails."""
    try:
        return ask()
    except Exception as failure:  # noqa: BLE001
        print(f"{what}: {type(failure).__name__}: {failure}"[:300], file=sys.stderr)
        return otherwise


def name_of(model):
    return f"{model._meta.app_label}.{model._meta.model_name}" if model is not None else None


def set_only(facts):
    """The facts without those that are false, empty or unknown."""
    return {key: value for key, value in facts.items() if value not in (None, False, "", [], {})}


def plain(value):
    """The value as JSON can say it."""
    match value:
        case Promise():
            return str(value)
        case None | bool() | int() | float():
            return value
        case str():
            return str(getattr(value, "value", value))
        case list() | tuple():
            return [plain(one) for one in value]
        case set() | frozenset():
            return sorted((plain(one) for one in value), key=str)
        case dict():
            return {str(plain(key)): plain(one) for key, one in value.items()}
        case UUID() | date() | datetime() | timedelta():
            return str(value)
    if value in (list, dict):
        return value()
    if isinstance(value, type):
        return f"class:{value.__name__}"
    name = getattr(value, "__name__", type(value).__name__)
    return f"callable:{name}" if callable(value) else name


def choices_of(choices):
    if inspect.isclass(choices):
        choices = getattr(choices, "choices", None) or [(one.value, one.name) for one in choices]
    if callable(choices):
        choices = choices()
    values = []
    for entry in choices.items() if isinstance(choices, dict) else choices:
        value, text = entry if isinstance(entry, (list, tuple)) and len(entry) == 2 else (entry, "")
        values += [plain(one) for one, _ in text] if isinstance(text, (list, tuple)) else [plain(value)]
    return values


# Models


def names_of_pk(model):
    """All names by which a query finds the primary key, parents' included."""
    names, todo = ["pk"], [model]
    while todo:
        meta = todo.pop(0)._meta
        links = [meta.pk, *(link for link in meta.parents.values() if link is not None)]
        for name in (name for link in links for name in (link.name, link.attname)):
            if name not in names:
                names.append(name)
        todo += meta.parents
    return names


def field_at(model, name):
    meta = model._meta
    if name == "pk":
        return meta.pk
    try:
        return meta.get_field(name)
    except FieldDoesNotExist:
        found = None
        for field in meta.get_fields(include_hidden=True):
            reverse = field.auto_created and not field.concrete
            query = getattr(field, "related_query_name", None) if reverse else None
            if getattr(field, "attname", None) == name or query and name in (query, field.name):
                found = field
        return found


def fields_along(model, path):
    """The fields that a path of a query goes through; complete if the last is known."""
    along = []
    for name in path.split("__"):
        if model is None or isinstance(model, str):
            break
        field = field_at(model, name)
        if field is None:
            return along, False
        along.append(field)
        model = field.related_model if field.is_relation else None
    return along, bool(along)


def joins_many(model, path):
    """Whether a query along the path may repeat rows; None if nothing is known of it."""
    along, complete = fields_along(model, path)
    if not along and not complete:
        return None
    return any(field.many_to_many or field.one_to_many for field in along)


def tells_apart(model, name):
    """Whether no two rows have the same there."""
    if name == "pk":
        return True
    along, complete = fields_along(model, name)
    if not complete or any(not (field.one_to_one and field.concrete) for field in along[:-1]):
        return False
    last = along[-1]
    if last.is_relation:
        return bool(last.one_to_one and last.concrete) or bool(getattr(last, "unique", False))
    return bool(getattr(last, "unique", False) or getattr(last, "primary_key", False)) and not getattr(last, "null", False)


def what_decides(model, order):
    """The names in the order that decide between any two rows, None if none do."""
    names = [name.lstrip("-+") for name in order]
    for name in names:
        if tells_apart(model, name):
            return name
    sets = [set(fields) for fields in model._meta.unique_together]
    sets += [set(c.fields) for c in model._meta.constraints if isinstance(c, UniqueConstraint) and c.condition is None]
    return next(("+".join(sorted(one)) for one in sets if one and one <= set(names)), None)


def on_delete(relation):
    action = getattr(relation, "on_delete", None)
    if action is None:
        return None
    if "SET.<locals>" in getattr(action, "__qualname__", ""):
        return "SET()"
    return getattr(action, "__name__", None) or type(action).__name__


def column(model, field):
    if field in model._meta.private_fields:
        return {"type": type(field).__name__}
    facts = {"type": type(field).__name__, "null": bool(getattr(field, "null", False))}
    if field.model is not model:
        facts["from"] = name_of(field.model)
    default = getattr(field, "default", NOT_PROVIDED)
    facts = set_only(facts)
    if default is not NOT_PROVIDED:
        facts["default"] = default() if default in (dict, list) else plain(default)
    if field.is_relation:
        facts["to"] = field.related_model if isinstance(field.related_model, str) else name_of(field.related_model)
        facts["kind"] = "M2M" if field.many_to_many else "O2O" if field.one_to_one else "FK"
        if field.remote_field is not None:
            facts["related_name"] = attempt(f"{model} {field}", field.remote_field.get_accessor_name)
    return facts


def is_reverse(field):
    return field.auto_created and not field.concrete


def model_facts(model):
    meta = model._meta
    reverse = {}
    for field in meta.get_fields(include_hidden=True):
        if is_reverse(field) and not field.many_to_many:
            accessor = field.get_accessor_name() or f"(hidden) {name_of(field.related_model)}.{field.field.name}+"
            kind = "O2O" if field.one_to_one else "FK"
            reverse[accessor] = {"from": name_of(field.related_model), "field": field.field.name, "kind": kind, "on_delete": on_delete(field)}
    return set_only({
        "verbose_name": str(meta.verbose_name),
        "permissions": [code for code, _ in meta.permissions],
        "default_permissions": [f"{verb}_{meta.model_name}" for verb in meta.default_permissions],
        "parents": {name_of(parent): link and link.name for parent, link in meta.parents.items()},
        "fields": {field.name: column(model, field) for field in meta.get_fields() if not is_reverse(field)},
        "reverse": reverse,
    })


class Deletion:
    """What becomes of other rows when one of the model is deleted, each by the chain of
    references that leads there. A row of a parent is of one child: the one deleted."""

    def __init__(self, model):
        self.gone, self.nulls, self.protects, self.unlinks = {}, {}, {}, {}
        todo, seen = [(model, "", False)], set()
        while todo:
            current, chain, from_child = todo.pop(0)
            if (current, from_child) in seen or (current, False) in seen:
                continue
            seen.add((current, from_child))
            self.gone.setdefault(current, chain)
            todo += [(parent, chain, True) for parent in current._meta.parents]
            for field in current._meta.get_fields(include_hidden=True):
                todo += self.follow(current, field, chain, from_child)

    def follow(self, model, field, chain, from_child):
        longer = lambda step: f"{chain} > {step}".strip(" >")  # noqa: E731
        if field in model._meta.private_fields and type(field).__name__.endswith("GenericRelation"):
            return [(field.related_model, longer(f"{name_of(field.related_model)} (generic relation)"), False)]
        is_generic = type(getattr(field, "field", None)).__name__.endswith("GenericRelation")
        is_parent = getattr(field, "parent_link", False)
        if not is_reverse(field) or field.many_to_many or is_generic or is_parent and from_child:
            return []
        child, name, how = field.related_model, field.field.name, on_delete(field)
        if owner := child._meta.auto_created:  # the table of a list
            for many in owner._meta.many_to_many:
                if many.remote_field.through is child and issubclass(model, many.related_model) and many.m2m_reverse_field_name() == name:
                    self.unlinks.setdefault((owner, many.name), chain)
        elif how == "CASCADE":
            for owner in apps.get_models():
                for many in owner._meta.local_many_to_many:
                    if many.remote_field.through is child and many.m2m_reverse_field_name() == name:
                        self.unlinks.setdefault((owner, many.name), chain)
            return [(child, chain if is_parent else longer(f"{name_of(child)}.{name}"), False)]
        elif how == "SET_NULL" or how == "SET_DEFAULT" and field.field.get_default() is None:
            self.nulls.setdefault((child, name), chain)
        elif how in ("PROTECT", "RESTRICT"):
            self.protects.setdefault((child, name), chain)
        return []


# Serializers

SERIALIZERS, CLASSES, MESSAGES = {}, {}, {}


def messages_of(cls):
    texts = {}
    for parent in reversed(cls.__mro__):
        texts.update(vars(parent).get("default_error_messages", {}))
    return {code: str(text) for code, text in texts.items()}


LIMITS = {"MaxLengthValidator": "max_length", "MinLengthValidator": "min_length", "MaxValueValidator": "max_value", "MinValueValidator": "min_value"}


def add_validator(facts, validator):
    name = getattr(validator, "__name__", None) or type(validator).__name__
    if isinstance(validator, validators.UniqueValidator):
        facts |= {"has_unique_validator": True, "unique_message": str(validator.message)}
        if getattr(validator, "lookup", "exact") != "exact":
            facts["unique_lookup"] = validator.lookup
        if getattr(validator, "queryset", None) is not None:
            facts["unique_in"] = name_of(validator.queryset.model)
    elif name in LIMITS:
        limit = validator.limit_value
        facts.setdefault(LIMITS[name], plain(limit() if callable(limit) else limit))
    else:
        entry = name
        if hasattr(validator, "regex"):
            entry = {"validator": name, "message": str(getattr(validator, "message", None))}
            pattern = str(getattr(validator.regex, "pattern", ""))
            if len(pattern) < 60:
                entry["regex"] = pattern
        facts.setdefault("validators", []).append(entry)


def field_facts(name, field):
    inner, facts = field, {"type": type(field).__name__}
    match field:
        case serializers.ListSerializer():
            inner = field.child
            facts = {"type": "nested", "many": True, "serializer": serializer_name(inner)}
        case serializers.BaseSerializer():
            facts = {"type": "nested", "serializer": serializer_name(field)}
        case serializers.ManyRelatedField():
            inner = field.child_relation
            facts = {"type": type(inner).__name__, "many": True}
        case serializers.ListField():
            facts |= {"many": True, "child": field_facts("", field.child)}
        case serializers.DictField():
            facts |= {"child": field_facts("", field.child)}
    if isinstance(field, (serializers.ManyRelatedField, serializers.ListField)) and not field.allow_empty:
        facts["allow_empty"] = False
    facts |= {flag: True for flag in ("read_only", "write_only", "required", "allow_null", "allow_blank") if getattr(field, flag, False)}
    if isinstance(field, serializers.CharField) and not field.trim_whitespace:
        facts["trim_whitespace"] = False
    if field.default is not empty:
        facts["default"] = plain(field.default)
    if field.source and field.source != name:
        facts["source"] = field.source
    if isinstance(inner, serializers.RelatedField):
        if getattr(inner, "queryset", None) is not None:
            facts["related"] = name_of(inner.queryset.model)
        if isinstance(inner, serializers.SlugRelatedField):
            facts["slug_field"] = inner.slug_field
    facts |= {limit: plain(getattr(field, limit)) for limit in LIMITS.values() if getattr(field, limit, None) is not None}
    if not isinstance(field, serializers.BaseSerializer):
        for validator in [*getattr(field, "validators", []), *(getattr(inner, "validators", []) if inner is not field else [])]:
            add_validator(facts, validator)
    MESSAGES.setdefault(type(inner).__name__, messages_of(type(inner)))
    return facts


def validator_of_set(validator):
    name = validator.__name__ if inspect.isfunction(validator) else type(validator).__name__
    facts = {"validator": name, "fields": plain(getattr(validator, "fields", None)), "message": plain(getattr(validator, "message", None))}
    if isinstance(validator, validators.UniqueTogetherValidator):
        facts["message"] = str(validator.message).format(field_names=", ".join(validator.fields))
    return set_only(facts)


def serializer_name(one):
    """The name of a serializer, whose facts are kept."""
    cls = type(one)
    name = cls.__name__
    if CLASSES.get(name, cls) is not cls:
        name = f"{cls.__module__}.{name}"
    CLASSES.setdefault(name, cls)
    if name in SERIALIZERS:
        return name
    facts = SERIALIZERS[name] = {}
    if model := getattr(getattr(cls, "Meta", None), "model", None):
        facts["model"] = name_of(model)
    if not isinstance(one, serializers.Serializer):
        return name
    definer = next((parent for parent in cls.__mro__ if "validate" in vars(parent)), None)
    if definer is not None and not definer.__module__.startswith("rest_framework"):
        facts["defines_validate"] = definer.__name__
    facts["validators"] = attempt(name, lambda: [validator_of_set(validator) for validator in one.validators], [])
    fields = attempt(name, lambda: dict(one.fields), {})
    facts["fields"] = {key: attempt(f"{name}.{key}", lambda: field_facts(key, field), {}) for key, field in fields.items()}
    return name


def named(thing):
    """What drf-spectacular gives for a serializer, by name."""
    match thing:
        case None:
            return None
        case OpenApiResponse():
            return named(thing.response) or "none"
        case OpenApiRequest():
            return named(thing.request)
        case PolymorphicProxySerializer():
            return f"oneOf:{thing.component_name}"
        case OpenApiTypes():
            return f"type:{thing.name}"
        case dict():
            return {str(key): named(one) for key, one in thing.items()}
    if inspect.isclass(thing):
        if not issubclass(thing, serializers.BaseSerializer):
            return f"class:{thing.__name__}"
        thing = attempt(thing, thing)
    if isinstance(thing, serializers.ListSerializer):
        return f"[{serializer_name(thing.child)}]"
    return serializer_name(thing) if isinstance(thing, serializers.BaseSerializer) else type(thing).__name__


# Operations


def variables(function):
    """What a function closes over."""
    names, cells = getattr(getattr(function, "__code__", None), "co_freevars", ()), getattr(function, "__closure__", None) or ()
    values = {}
    for name, cell in zip(names, cells, strict=True):
        try:
            values[name] = cell.cell_contents
        except ValueError:
            pass  # not set yet
    return values


def required_by(function):
    """The permissions that decorators ask for; serializers that they name are kept."""
    required = None
    while function is not None:
        closed = variables(function)
        if {"global_perms", "other_perms", "obj_perm"} & closed.keys() or {"perm", "func"} <= closed.keys():
            on_object = closed.get("obj_perm") or closed.get("perm")
            if on_object is None and "_check_obj_perm" in closed:
                on_object = variables(closed["_check_obj_perm"]).get("obj_perm")
            everywhere = list(closed.get("global_perms") or closed.get("other_perms") or [])
            required = required or {"object": None, "global": []}
            required = {"object": required["object"] or on_object, "global": required["global"] + everywhere}
        elif "serializer_type" in closed:
            attempt(function, lambda: serializer_name(closed["serializer_type"]()))
        function = getattr(function, "__wrapped__", None)
    return required


def permission_class(cls):
    closed = variables(getattr(cls, "has_permission", None))
    if "perm" in closed:
        return {"has": list(closed["perm"]) if isinstance(closed["perm"], (tuple, list)) else [closed["perm"]]}
    return getattr(cls, "__name__", type(cls).__name__)


def queryset_of(view):
    """The view's query, None if there is none, and its model."""
    try:
        query = view.get_queryset()
        return query, query.model
    except Exception:  # noqa: BLE001
        query = getattr(view, "queryset", None)
    if isinstance(query, (list, tuple)):
        return None, None
    if query is not None:
        return query.all(), query.model
    return None, getattr(getattr(getattr(view, "serializer_class", None), "Meta", None), "model", None)


def permissions_of(view, method, action, function):
    _, model = queryset_of(view)
    detail = getattr(view, "detail", None)
    facts = {"classes": [permission_class(cls) for cls in view.permission_classes]}
    for cls in view.permission_classes:
        if model is not None and inspect.isclass(cls) and issubclass(cls, permissions.DjangoModelPermissions):
            facts["model"] = cls().get_required_permissions(method, model)
            if detail and issubclass(cls, permissions.DjangoObjectPermissions):
                facts["object"] = cls().get_required_object_permissions(method, model)
    shown = any(backend.__name__ in ("ObjectFilter", "SecretKeyFilter") for backend in getattr(view, "filter_backends", []))
    if shown and model is not None and (action == "list" or detail):
        facts["rows"] = f"{model._meta.app_label}.view_{model._meta.model_name}"
    facts["required"] = required_by(getattr(function, "__func__", function))
    return set_only(facts)


def operation(generator, path, regex, method, view):
    action = getattr(view, "action", None)
    facts = {"method": method, "path": path.lstrip("/")}
    schema = view.schema
    schema.registry, schema.path, schema.path_regex, schema.path_prefix, schema.method = generator.registry, path, regex, "", method
    function = getattr(view, action or method.lower(), None)
    facts["permissions"] = permissions_of(view, method, action, function)
    if action in ("list", "retrieve", "create", "update", "partial_update") and hasattr(view, "get_serializer_class"):
        ask = lambda: serializer_name(view.get_serializer_class()(context=view.get_serializer_context()))  # noqa: E731
        facts["serializer"] = attempt(f"{method} {path}", ask)
    if method in ("POST", "PUT", "PATCH", "DELETE"):
        facts["request"] = attempt(f"{method} {path}", lambda: named(schema.get_request_serializer()))
    attempt(f"{method} {path}", lambda: named(schema.get_response_serializers()))  # which keeps them
    for parameter in attempt(f"{method} {path}", schema.get_override_parameters, None) or []:
        if inspect.isclass(parameter):
            named(parameter)
    return set_only(facts)


# Lists


def kind_of_order(query, model, name):
    try:
        str(query.order_by(name).query)
    except Exception:  # noqa: BLE001
        try:
            query.order_by(name).query.get_compiler("default").as_sql()
        except EmptyResultSet:
            pass
        except Exception:  # noqa: BLE001
            return "error"
    along, complete = fields_along(model, name)
    if not complete:
        return "annotation" if name in query.query.annotations else "path"
    last = along[-1]
    kind = type(last).__name__
    if any(field.many_to_many or field.one_to_many for field in along):
        return f"{kind} (joins: duplicates)"
    if last.is_relation:
        to = last.related_model
        order = [] if to is None or isinstance(to, str) else [term if isinstance(term, str) else str(term) for term in to._meta.ordering]
        return f"{kind} (by {','.join(order) or 'its id'} of {name_of(to)})"
    return kind


def ordering(view, query, model):
    backends = getattr(view, "filter_backends", [])
    can_order = any(issubclass(backend, OrderingFilter) for backend in backends)
    terms = OrderingFilter().get_default_ordering(view) if can_order else None
    if terms is None and query is not None:
        terms = query.query.order_by or model._meta.ordering if query.query.default_ordering or query.query.order_by else None
    terms = [term if isinstance(term, str) else str(term) for term in terms or []]
    by = what_decides(model, terms)
    facts = {"default": terms, "total": by is not None, "total_by": by}
    if can_order and query is not None:
        names = attempt(view, lambda: [name for name, _ in OrderingFilter().get_valid_fields(query, view, {"request": view.request})], [])
        facts["orderable"] = {name: kind_of_order(query, model, name) for name in names}
        facts["pk_orderable_as"] = [name for name in names_of_pk(model) if facts["orderable"].get(name, "error") != "error"]
    return facts


def filter_facts(model, one):
    facts = {"class": type(one).__name__, "field": one.field_name, "lookup": one.lookup_expr, "distinct": bool(one.distinct)}
    if one.method is not None:
        facts["method"] = one.method if isinstance(one.method, str) else getattr(one.method, "__name__", "callable")
    if model is not None and one.field_name:
        facts["joins"] = bool(joins_many(model, one.field_name))
    extra = one.extra
    if (query := extra.get("queryset")) is not None:
        def related():
            is_function = callable(query) and not isinstance(query, QuerySet) and not hasattr(query, "model")
            return name_of((query(None) if is_function else query).model)
        try:
            facts["model"] = related()
        except Exception:  # noqa: BLE001
            pass  # it needs a request
    facts |= {"to_field": extra.get("to_field_name"), "required": bool(extra.get("required"))}
    if extra.get("choices") is not None:
        facts["choices"] = choices_of(extra["choices"])
    try:
        form = one.field
        facts["to_field"] = facts["to_field"] or getattr(form, "to_field_name", None)
        if "choices" not in facts and hasattr(form, "choices") and "Model" not in type(form).__name__:
            facts["choices"] = [choice for choice in choices_of(form.choices) if choice not in ("", None)]
    except Exception:  # noqa: BLE001
        pass  # it needs a request
    return set_only(facts)


def pagination(view, tenant):
    cls = getattr(view, "pagination_class", None)
    if cls is None:
        return None
    size, most = cls.page_size, cls.max_page_size
    parents = [parent for parent in cls.__mro__ if parent.__module__.startswith("authentik")]
    if tenant is not None and any("get_page_size" in vars(parent) for parent in parents):
        size = getattr(tenant, "pagination_default_page_size", size)
        tenants = getattr(tenant, "pagination_max_page_size", most)
        most = min(most, tenants) if most else tenants
    return {"page_size": size, "max_page_size": most}


def list_facts(view, tenant):
    query, model = queryset_of(view)
    backends = list(getattr(view, "filter_backends", []))
    search = getattr(view, "search_fields", None)
    facts = {
        "model": name_of(model), "lookup_field": getattr(view, "lookup_field", None), "owner_field": getattr(view, "owner_field", None),
        "filter_backends": [backend.__name__ for backend in backends], "pagination": pagination(view, tenant),
        "rbac_allow_create_without_perm": getattr(view, "rbac_allow_create_without_perm", None), "search_fields": plain(search),
    }
    if model is not None:
        facts["ordering"] = ordering(view, query, model)
        facts["search_joins"] = [name for name in search or [] if joins_many(model, name.lstrip("^=@$"))]
        facts["unique"] = [field.name for field in model._meta.concrete_fields if getattr(field, "_unique", False) and not field.primary_key]
    if hasattr(view, "get_ql_fields"):
        fields = attempt(view, view.get_ql_fields, [])
        facts["ql_fields"] = [{"name": getattr(field, "name", str(field)), "type": getattr(field, "type", None)} for field in fields]
    if query is not None and any(issubclass(backend, DjangoFilterBackend) for backend in backends):
        filters = attempt(view, lambda: DjangoFilterBackend().get_filterset_class(view, query))
        if filters is not None:
            facts["filters"] = {name: filter_facts(model, one) for name, one in filters.base_filters.items()}
    return set_only(facts)


def add_deletions(lists, models):
    """Adds what a delete takes along, in terms of lists and the members they show."""
    by_model = {}
    for path, facts in lists.items():
        by_model.setdefault(facts.get("model"), []).append(path)

    def shown(path, name):
        for action in ("retrieve", "list", "update", "create"):
            fields = SERIALIZERS.get(lists.get(path, {}).get("actions", {}).get(action, {}).get("serializer"), {}).get("fields", {})
            if not fields:
                continue
            if name in fields and fields[name].get("source", name) == name:
                return name
            others = (key for key, field in fields.items() if field.get("source") == name and field.get("type") != "nested")
            return next(others, f"{name} (no member)")
        return name

    def members(references):
        found = {}
        for (model, name), chain in references.items():
            paths = list(by_model.get(name_of(model), []))
            for child in apps.get_models():
                if model in child._meta.get_parent_list():
                    paths += [path for path in by_model.get(name_of(child), []) if path not in paths]
            for path in paths or [name_of(model)]:
                found.setdefault(path, {})[shown(path, name)] = chain or "direct"
        return found

    for path, facts in lists.items():
        if facts.get("model") not in models:
            continue
        deletion = Deletion(models[facts["model"]])
        facts["deletes"] = {other: chain for model, chain in deletion.gone.items() for other in by_model.get(name_of(model), []) if other != path}
        facts |= {"nulls": members(deletion.nulls), "protected_by": members(deletion.protects), "unlinks": members(deletion.unlinks)}
        for action in ("create", "update", "partial_update"):
            fields = SERIALIZERS.get(facts.get("actions", {}).get(action, {}).get("serializer"), {}).get("fields", {})
            unchecked = [
                name for name, field in fields.items()
                if not field.get("read_only") and field.get("source", name) in facts.get("unique", []) and not field.get("has_unique_validator")
            ]
            if unchecked:
                facts["unique_without_validator"] = unchecked


def all_lists():
    """The lists of the router by path, and the views beside them."""
    from authentik.core.models import User

    user = User.objects.filter(username="akadmin").first() or AnonymousUser()
    try:
        from authentik.tenants.utils import get_current_tenant

        tenant = get_current_tenant()
    except ImportError:
        tenant = None

    def prepare(view, method, path):
        request = build_mock_request(method, path, view, None)
        for one in filter(None, (request, getattr(request, "_request", None))):
            one.user, one.tenant, one.brand = user, tenant, None
        request._user = user
        view.request, view.format_kwarg, view.args = request, None, ()
        view.kwargs = getattr(view, "kwargs", None) or {}

    viewsets = {f"{prefix}/": viewset for prefix, viewset, _ in ROUTER.registry}
    lists, views = {path: {} for path in viewsets}, {}
    for path, viewset in viewsets.items():
        view = viewset()
        view.action, view.action_map = "list", {"get": "list"}
        attempt(path, lambda: prepare(view, "GET", f"/{path}"))
        lists[path] = attempt(path, lambda: list_facts(view, tenant), {})
    generator = SchemaGenerator()
    generator._initialise_endpoints()
    for full, regex, method, view in generator._get_paths_and_endpoints():
        if not full.startswith("/api/v3/"):
            continue
        path = full.removeprefix("/api/v3/")
        attempt(f"{method} {path}", lambda: prepare(view, method, f"/{path}"))
        facts = attempt(f"{method} {path}", lambda: operation(generator, f"/{path}", regex, method, view))
        own = max((prefix for prefix, viewset in viewsets.items() if path.startswith(prefix) and isinstance(view, viewset)), key=len, default=None)
        if facts is None:
            continue
        if own is None:
            views.setdefault(path, {"operations": {}})["operations"][method] = facts
            continue
        actions, name = lists[own].setdefault("actions", {}), getattr(view, "action", method)
        actions[f"{name} {method}" if name in actions else name] = facts
    return lists, views


def release():
    import authentik

    return authentik.authentik_version() if hasattr(authentik, "authentik_version") else authentik.__version__


def main():
    lists, views = all_lists()
    listed = {facts.get("model") for facts in lists.values()}
    models = {
        name_of(model): model for model in apps.get_models()
        if model._meta.app_label.startswith("authentik") or model._meta.app_label in ("guardian", "auth") or name_of(model) in listed
    }
    add_deletions(lists, models)
    facts = {
        "release": release(), "lists": lists, "views": views, "serializers": SERIALIZERS,
        "models": {name: attempt(name, lambda: model_facts(model), {}) for name, model in models.items()}, "messages": MESSAGES,
    }
    json.dump(facts, answer, ensure_ascii=False, indent=1, sort_keys=True)
    answer.write("\n")
    answer.flush()


main()
os._exit(0)  # past the threads that authentik has started
