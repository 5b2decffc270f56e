/* table_list - the current versions of one actor, ascending by seq.
 *
 * Does:   see table_list.h.
 * Not:    -
 * Holds:  L1 to L3.
 * Limits: see table_list.h.
 * See:    table_list.h.
 *
 * Own writes arrive in order and fill page after page. What a checkpoint or a slot walk brings
 * arrives in any order and splits full pages in two. Removing merges pages that have become thin.
 */
#include "store/table_list.h"

#define CAP_MIN 8U
#define CAP_STEP 64U
#define MERGE_ITEMS (LIST_PAGE_ITEMS / 4 * 3)

static uint64_t item_of(uint64_t seq, uint32_t ref)
{
    return seq << 32 | ref;
}

static uint64_t item_seq(const struct list_page *page, uint64_t item)
{
    return (page->seq >> 32) << 32 | item >> 32;
}

void list__fini(struct list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        mem_free(list->pages[i].items);
    mem_free(list->pages);
    *list = (struct list){0};
}

/* Pages that start at or below (seq, item): the last of them is where it belongs, if the upper
 * bits agree. */
static uint32_t pages_up_to(const struct list *list, uint64_t seq, uint64_t item)
{
    uint32_t low = 0;
    uint32_t high = list->count;
    if (high > 0 && list->pages[high - 1].seq < seq)
        return high; /* the usual case: a new write */
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct list_page *page = &list->pages[mid];
        bool above = page->seq > seq || (page->seq == seq && page->items[0] > item);
        if (above)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* Items of the page below item. */
static uint32_t items_below(const struct list_page *page, uint64_t item)
{
    uint32_t low = 0;
    uint32_t high = page->count;
    if (page->items[high - 1] < item)
        return high;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (page->items[mid] < item)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void page_resize(struct list *list, struct list_page *page, uint32_t cap)
{
    ASSERT(cap >= page->count);
    ASSERT(cap <= LIST_PAGE_ITEMS);
    page->items = mem_realloc(page->items, (size_t)cap * sizeof *page->items);
    list->bytes -= (uint64_t)page->cap * sizeof *page->items;
    list->bytes += (uint64_t)cap * sizeof *page->items;
    page->cap = cap;
}

static struct list_page *page_insert(struct list *list, uint32_t index)
{
    ASSERT(index <= list->count);
    if (list->count == list->cap) {
        uint32_t cap = list->cap + list->cap / 2 + 1;
        list->pages = mem_realloc(list->pages, (size_t)cap * sizeof *list->pages);
        list->bytes += (uint64_t)(cap - list->cap) * sizeof *list->pages;
        list->cap = cap;
    }
    struct list_page *page = &list->pages[index];
    memmove(page + 1, page, (size_t)(list->count - index) * sizeof *page);
    *page = (struct list_page){0};
    list->count++;
    return page;
}

static void page_remove(struct list *list, uint32_t index)
{
    ASSERT(index < list->count);
    struct list_page *page = &list->pages[index];
    list->bytes -= (uint64_t)page->cap * sizeof *page->items;
    mem_free(page->items);
    list->count--;
    memmove(page, page + 1, (size_t)(list->count - index) * sizeof *page);
    if (list->count == 0) {
        list->bytes -= (uint64_t)list->cap * sizeof *page;
        mem_free(list->pages);
        list->pages = NULL;
        list->cap = 0;
    }
}

/* Puts items of a page into a page behind it that is empty or follows it. */
static void items_move(struct list *list, uint32_t from, uint32_t keep, uint32_t to)
{
    struct list_page *source = &list->pages[from];
    struct list_page *target = &list->pages[to];
    uint32_t moved = source->count - keep;
    ASSERT(to == from + 1);
    ASSERT(moved > 0);
    if (target->count + moved > target->cap)
        page_resize(list, target, target->count + moved);
    if (target->count > 0)
        memmove(target->items + moved, target->items, target->count * sizeof *target->items);
    memcpy(target->items, source->items + keep, moved * sizeof *target->items);
    target->seq = item_seq(source, target->items[0]);
    target->count += moved;
    source->count = keep;
}

/* Makes room for one more in a page; a full one is split. Returns the page for item. */
static uint32_t page_room(struct list *list, uint32_t index, uint64_t item)
{
    struct list_page *page = &list->pages[index];
    if (page->count < page->cap)
        return index;
    if (page->cap < LIST_PAGE_ITEMS) {
        uint32_t cap = page->cap < CAP_STEP ? page->cap * 2 : page->cap + CAP_STEP;
        cap = cap < CAP_MIN ? CAP_MIN : cap;
        page_resize(list, page, cap < LIST_PAGE_ITEMS ? cap : LIST_PAGE_ITEMS);
        return index;
    }
    page_insert(list, index + 1);
    items_move(list, index, LIST_PAGE_ITEMS / 2, index + 1);
    page_resize(list, &list->pages[index], LIST_PAGE_ITEMS / 2 + CAP_STEP);
    if (item < list->pages[index + 1].items[0])
        return index;
    page_resize(list, &list->pages[index + 1], LIST_PAGE_ITEMS / 2 + CAP_STEP);
    return index + 1;
}

/* The page that takes a new item: one that is there, or a new one. */
static uint32_t page_for(struct list *list, uint64_t seq, uint64_t item)
{
    uint32_t after = pages_up_to(list, seq, item);
    if (after > 0 && list->pages[after - 1].seq >> 32 == seq >> 32) {
        /* Behind the last item of a full last page: a new page, so that ascending seqs leave
         * full pages behind. */
        const struct list_page *last = &list->pages[after - 1];
        bool fresh = after == list->count && last->count == LIST_PAGE_ITEMS &&
                     last->items[last->count - 1] < item;
        if (!fresh)
            return page_room(list, after - 1, item);
    } else if (after < list->count && list->pages[after].seq >> 32 == seq >> 32) {
        return page_room(list, after, item);
    }
    struct list_page *page = page_insert(list, after);
    page->seq = seq;
    page_resize(list, page, CAP_MIN);
    return after;
}

void list__insert(struct list *list, uint64_t seq, uint32_t ref)
{
    ASSERT(seq > 0);
    ASSERT(ref > 0);
    uint64_t item = item_of(seq, ref);
    uint32_t index = page_for(list, seq, item);
    struct list_page *page = &list->pages[index];
    ASSERT(page->count < page->cap);
    uint32_t at = page->count == 0 ? 0 : items_below(page, item);
    memmove(page->items + at + 1, page->items + at, (page->count - at) * sizeof *page->items);
    page->items[at] = item;
    page->count++;
    if (at == 0)
        page->seq = seq;
    list->versions++;
}

/* After a removal: merges thin pages, gives back what is much too large. */
static void page_thin(struct list *list, uint32_t index)
{
    struct list_page *page = &list->pages[index];
    if (page->count == 0) {
        page_remove(list, index);
        return;
    }
    for (uint32_t left = index > 0 ? index - 1 : 0; left <= index; left++) {
        if (left + 1 >= list->count)
            break;
        const struct list_page *a = &list->pages[left];
        const struct list_page *b = a + 1;
        if (a->count + b->count > MERGE_ITEMS || a->seq >> 32 != b->seq >> 32)
            continue;
        items_move(list, left, 0, left + 1);
        page_remove(list, left);
        return;
    }
    if (page->cap >= page->count + 2 * CAP_STEP)
        page_resize(list, page, page->count + CAP_STEP / 2);
}

void list__remove(struct list *list, uint64_t seq, uint32_t ref)
{
    uint64_t item = item_of(seq, ref);
    uint32_t after = pages_up_to(list, seq, item);
    /* pages_up_to takes a short cut past items[0] only when seq is above it. */
    ASSERT(after > 0);
    struct list_page *page = &list->pages[after - 1];
    uint32_t at = items_below(page, item);
    ASSERT(at < page->count);
    ASSERT(page->items[at] == item);
    page->count--;
    list->versions--;
    memmove(page->items + at, page->items + at + 1, (page->count - at) * sizeof *page->items);
    if (at == 0 && page->count > 0)
        page->seq = item_seq(page, page->items[0]);
    page_thin(list, after - 1);
}

uint32_t list__above(const struct list *list, uint64_t seq)
{
    uint64_t item = item_of(seq, UINT32_MAX);
    uint32_t after = pages_up_to(list, seq, item);
    if (after > 0) {
        const struct list_page *page = &list->pages[after - 1];
        /* A page of lower upper bits ends below seq altogether. */
        uint32_t at = page->seq >> 32 == seq >> 32 ? items_below(page, item) : page->count;
        if (at < page->count)
            return (uint32_t)page->items[at];
    }
    return after < list->count ? (uint32_t)list->pages[after].items[0] : 0;
}

uint64_t list__last(const struct list *list)
{
    if (list->count == 0)
        return 0;
    const struct list_page *page = &list->pages[list->count - 1];
    return item_seq(page, page->items[page->count - 1]);
}

bool list__has(const struct list *list, uint64_t seq, uint32_t ref)
{
    uint64_t item = item_of(seq, ref);
    uint32_t after = pages_up_to(list, seq, item);
    if (after == 0 || list->pages[after - 1].seq >> 32 != seq >> 32)
        return false;
    const struct list_page *page = &list->pages[after - 1];
    uint32_t at = items_below(page, item);
    return at < page->count && page->items[at] == item;
}

void list__check(const struct list *list)
{
    uint64_t versions = 0;
    uint64_t bytes = (uint64_t)list->cap * sizeof *list->pages;
    uint64_t seq = 0;
    uint64_t item = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct list_page *page = &list->pages[i];
        ASSERT(page->count > 0);
        ASSERT(page->count <= page->cap);
        ASSERT(page->seq == item_seq(page, page->items[0]));
        for (uint32_t k = 0; k < page->count; k++) {
            uint64_t next = item_seq(page, page->items[k]);
            ASSERT(next >= seq);
            ASSERT(next > seq || page->items[k] > item);
            seq = next;
            item = page->items[k];
        }
        versions += page->count;
        bytes += (uint64_t)page->cap * sizeof *page->items;
    }
    ASSERT(versions == list->versions);
    ASSERT(bytes == list->bytes);
}
