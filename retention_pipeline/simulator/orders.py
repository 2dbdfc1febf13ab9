"""Carts, orders and returns: add-ons of a subscription business, or the goods of a shop."""

from __future__ import annotations

import numpy as np

from retention_pipeline.simulator import vocabulary as words
from retention_pipeline.simulator.loyalty import book
from retention_pipeline.simulator.state import Array
from retention_pipeline.simulator.usage import export_events
from retention_pipeline.simulator.world import World, where

ABANDONED = 0.38
"""Share of carts that are left."""
_PURCHASE, _RETURN, _, _FEE, _ = range(len(words.LINE_KINDS))
_ADD_ONS_A_YEAR = 1.6
_RETURN_DAYS = 20
_COST = 0.55
_MAX_LINES = 4


def order_add_ons(world: World) -> None:
    """Subscribers fill carts; some leave them, some buy, a few send something back."""
    pays = world.column("status") == words.PAID
    rate = _ADD_ONS_A_YEAR * world.column("engagement") * world.market.order_factor(world.day)
    fill_carts(world, where(pays & world.happens("cart", rate / (1 - ABANDONED))))
    send_back(world, pays)


def fill_carts(world: World, carts: Array) -> None:
    """Customers fill a cart today: it is bought or left."""
    if not len(carts):
        return
    worth = np.round(30 * world.state["basket"][carts] + 5)
    export_events(world, carts, "cart_added", worth)
    buy(world, carts[world.uniform("check out")[carts] >= ABANDONED])


def buy(world: World, customers: Array) -> None:
    """Orders of today, with one to four lines and their points."""
    if not len(customers):
        return
    state = world.state
    export_events(world, customers, "cart_checked_out")
    orders = state.take("order", len(customers))
    lines = 1 + (world.uniform("lines")[customers] ** 2 * _MAX_LINES).astype(np.int64)
    place = np.repeat(np.arange(len(customers)), lines)
    generator = world.draws.at("order lines", world.day)
    count = len(place)
    buyers = customers[place]
    price = _prices(world, buyers, generator)
    quantity = 1 + (generator.random(count) < 0.2)  # one line in five is for two
    reduced = generator.random(count) < 0.1
    gross = price * quantity
    discount = np.where(reduced, gross // 10, 0)
    product = generator.integers(0, 60, count) + (100 if world.knobs.kind == "shop" else 0)
    _export_lines(world, orders[place], buyers, product, quantity, price, discount, _PURCHASE)
    if world.knobs.kind == "shop":
        fee = np.full(len(customers), 49_000, dtype=np.int64)
        ones = np.ones(len(customers), dtype=np.int64)
        _export_lines(world, orders, customers, -ones, ones, fee, fee * 0, _FEE)
    total = np.bincount(place, weights=gross - discount, minlength=len(customers)).astype(np.int64)
    state["orders"][customers] += 1
    state["last_order"][customers] = world.day
    rate = world.rates[world.day][state["currency"][customers]]
    state["earned"][customers] += (total * rate // 100_000_000 * 45) // 100
    book(world, customers, total // 10_000, "purchase")


def _prices(world: World, customers: Array, generator: np.random.Generator) -> Array:
    level = 18 * world.state["basket"][customers] * np.exp(0.5 * generator.standard_normal(len(customers)))
    return (np.clip(np.round(level), 3, 900) * 10_000 + 9_000).astype(np.int64)


def send_back(world: World, can: Array) -> None:
    """A few lines of recent orders come back."""
    last = world.column("last_order")
    recent = (last >= 0) & (last < world.day) & (world.day - last <= _RETURN_DAYS)
    back = where(can & recent & (world.uniform("send back") < 0.002))
    if len(back):
        price = _prices(world, back, world.draws.at("returns", world.day))
        product = back % 60 + (100 if world.knobs.kind == "shop" else 0)
        orders = world.state.take("order", len(back))
        _export_lines(world, orders, back, product, -np.ones(len(back), dtype=np.int64), price, price * 0, _RETURN)


def _export_lines(
    world: World,
    orders: Array,
    customers: Array,
    product: Array,
    quantity: Array,
    price: Array,
    discount: Array,
    kind: int,
) -> None:
    world.exports.add(
        "order_lines",
        order_id=orders,
        customer=customers,
        at=world.moment(customers, salt=20 if kind == _PURCHASE else 21),
        product=product,
        quantity=quantity,
        unit_price=price,
        discount=discount,
        tax=(price * np.abs(quantity) - discount) // 5 * np.sign(quantity),
        unit_cost=np.round(price * _COST).astype(np.int64) if kind != _FEE else price,
        currency=world.state["currency"][customers],
        kind=np.full(len(customers), kind, dtype=np.int8),
    )
