// SPDX-License-Identifier: LGPL-2.1-or-later
/* A machine for tests of the VT-d driver; see vtdhw.h. */
#include "vtdhw.h"
#include <asm/processor.h>
#include <linux/pci-ats.h>

#define MAX_UNITS	2
#define MAX_DEVS	8
#define REGS_BASE	0xfed90000ull
#define HAW		46

/* What the parts of the driver that are not here have */
DEFINE_MUTEX(vtd_state_lock);
LIST_HEAD(vtd_units);
static struct vtd_dmar no_dmar;
struct vtd_dmar *vtd_dmar = &no_dmar;
bool vtd_want_scalable = true;
bool vtd_want_ats = true;
bool vtd_want_first_level;
int vtd_want_erratum_772415 = -1;
struct cpuinfo_x86 boot_cpu_data;

static struct vtdhw_unit units[MAX_UNITS];
static unsigned int nr_units;
static struct vtdhw_dev *devs[MAX_DEVS];
static unsigned int nr_devs;
static struct pci_bus root_bus;
static bool working;
bool vtdhw_hardly_caches;

int vtd_events_init(struct vtd_unit *unit)
{
	return 0;
}

void vtd_events_free(struct vtd_unit *unit)
{
}

void vtd_acs_enable(struct pci_dev *pdev)
{
}

bool vtd_scope_ats(struct pci_dev *pdev)
{
	return true;
}

bool vtd_scope_rmrr(struct pci_dev *pdev, const struct vtd_dmar_entry *rmrr)
{
	return false;
}

bool vtd_rmrr_relaxable(struct pci_dev *pdev)
{
	return false;
}

void vtd_identity_target(const struct vtd_unit *unit, struct vtd_target *target)
{
	*target = (struct vtd_target) {
		.walk = VTD_WALK_PASS,
		.levels = 4,
		.did = VTD_DID_IDENTITY,
	};
}

struct vtd_dev *vtd_dev_of(struct device *dev)
{
	return container_of(to_pci_dev(dev), struct vtdhw_dev, pdev)->vdev;
}

/* The functions' configuration space */

static struct vtdhw_dev *hw_of(const struct pci_dev *pdev)
{
	return container_of(pdev, struct vtdhw_dev, pdev);
}

int pci_read_config_word(const struct pci_dev *pdev, int at, u16 *value)
{
	*value = 0;
	return 0;
}

bool pci_ats_supported(struct pci_dev *pdev)
{
	return hw_of(pdev)->ats;
}

int pci_enable_ats(struct pci_dev *pdev, int page_shift)
{
	assert_false(pdev->ats_enabled);
	pdev->ats_enabled = true;
	return 0;
}

void pci_disable_ats(struct pci_dev *pdev)
{
	assert_true(pdev->ats_enabled);
	pdev->ats_enabled = false;
}

int pci_max_pasids(struct pci_dev *pdev)
{
	unsigned int width = hw_of(pdev)->pasid_width;

	return width ? 1 << width : -EINVAL;
}

int pci_enable_pasid(struct pci_dev *pdev, int features)
{
	assert_false(pdev->pasid_enabled);
	/* The order that the PCI Express specification asks for */
	assert_false(pdev->ats_enabled);
	assert_int_equal(features, 0);
	pdev->pasid_enabled = true;
	return 0;
}

void pci_disable_pasid(struct pci_dev *pdev)
{
	assert_true(pdev->pasid_enabled);
	pdev->pasid_enabled = false;
}

/* Registers and memory of units */

static struct vtdhw_unit *unit_at(const volatile void *addr, u32 *offset)
{
	unsigned int i;

	for (i = 0; i < nr_units; i++) {
		u64 at = (const char *)addr - (const char *)units[i].regs;

		if (at < VTDU_REG_BYTES) {
			*offset = at;
			return &units[i];
		}
	}
	fail_msg("a register of no unit");
	return NULL;
}

static u64 mmio_read(const volatile void *addr, unsigned int bytes)
{
	u32 offset;
	struct vtdhw_unit *hw = unit_at(addr, &offset);

	return vtdu_read(hw->u, offset, bytes);
}

static void mmio_write(volatile void *addr, u64 value, unsigned int bytes)
{
	u32 offset;
	struct vtdhw_unit *hw = unit_at(addr, &offset);

	vtdu_write(hw->u, offset, bytes, value);
}

static void *map_regs(u64 start, u64 bytes)
{
	assert_int_equal(bytes, VTDU_REG_BYTES);
	return units[(start - REGS_BASE) / VTDU_REG_BYTES].regs;
}

static bool mem_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct vtdhw_unit *hw = opaque;

	shim_hw_read(addr, buf, len, hw->coherent);
	return true;
}

static bool mem_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	shim_hw_write(addr, buf, len);
	return true;
}

static bool mem_cmpxchg(void *opaque, uint64_t addr, uint64_t *expected,
			uint64_t desired)
{
	struct vtdhw_unit *hw = opaque;
	u64 now;

	shim_hw_read(addr, &now, 8, hw->coherent);
	if (now == *expected)
		shim_hw_write(addr, &desired, 8);
	*expected = now;
	return true;
}

/* Devices and their caches */

static struct vtdhw_dev *find_dev(struct vtdhw_unit *hw, u16 sid)
{
	unsigned int i;

	for (i = 0; i < nr_devs; i++)
		if (devs[i]->hw == hw && devs[i]->pdev.devfn == sid)
			return devs[i];
	return NULL;
}

static void devtlb(void *opaque, uint32_t tag, const struct vtdu_devtlb *inv)
{
	struct vtdhw_unit *hw = opaque;
	struct vtdhw_dev *dev = find_dev(hw, inv->sid);
	u64 last = inv->size ? inv->addr + inv->size - 1 : U64_MAX;
	unsigned int i;

	assert_non_null(dev);
	assert_true(dev->ats && dev->pdev.ats_enabled);
	/* With ECAP.DIT: how many may be under way is bounded by function. */
	assert_int_equal(inv->pfsid, inv->sid);
	assert_true(hw->nr_flights < ARRAY_SIZE(hw->flights));
	hw->flight_sids[hw->nr_flights] = inv->sid;
	hw->flights[hw->nr_flights++] = tag;
	dev->nr_invalidations++;
	for (i = 0; i < VTDHW_TLB; i++) {
		struct vtdhw_tlb *e = &dev->tlb[i];
		bool same = inv->has_pasid ?
			    e->pasid != IOFD_NO_PASID &&
			    (inv->global || e->pasid == inv->pasid) :
			    e->pasid == IOFD_NO_PASID;

		if (same && e->addr <= last && e->last >= inv->addr)
			e->valid = false;
	}
}

static void answer(struct vtdhw_unit *hw)
{
	u16 sid = hw->flight_sids[0];
	u32 tag = hw->flights[0];

	hw->nr_flights--;
	memmove(hw->flights, hw->flights + 1, sizeof(u32) * hw->nr_flights);
	memmove(hw->flight_sids, hw->flight_sids + 1,
		sizeof(u16) * hw->nr_flights);
	if (find_dev(hw, sid)->silent)
		vtdu_devtlb_timeout(hw->u, tag);
	else
		vtdu_devtlb_done(hw->u, tag);
}

static bool work(struct vtdhw_unit *hw)
{
	if (vtdu_run(hw->u, 1))
		return true;
	if (!hw->nr_flights)
		return false;
	answer(hw);
	return true;
}

/* The driver waits: time for the hardware. */
static void relax(void)
{
	unsigned int i;

	if (working)
		return;
	working = true;
	for (i = 0; i < nr_units; i++)
		if (units[i].u)
			work(&units[i]);
	working = false;
}

void vtdhw_settle(void)
{
	unsigned int i;

	for (i = 0; i < nr_units; i++)
		while (work(&units[i]))
			;
}

static struct vtdhw_dma ask(struct vtdhw_dev *dev, u32 pasid, u64 addr,
			    unsigned int access, enum vtdu_at at,
			    struct vtdu_result *r)
{
	struct vtdu_request request = {
		.sid = dev->send_as,
		.has_pasid = pasid != IOFD_NO_PASID,
		.pasid = pasid == IOFD_NO_PASID ? 0 : pasid,
		.at = at,
		.access = access,
		.addr = addr,
		.no_snoop = true,
	};
	struct vtdhw_dma dma = {};

	dma.ok = vtdu_translate(dev->hw->u, &request, r) &&
		 (at != VTDU_AT_TRANSLATION || (r->perm & access) == access);
	dma.fault = r->fault;
	dma.phys = r->addr;
	dma.snoop = r->snoop;
	dma.mode = r->mode;
	return dma;
}

static struct vtdhw_tlb *look_up(struct vtdhw_dev *dev, u32 pasid, u64 addr,
				 unsigned int access)
{
	unsigned int i;

	for (i = 0; i < VTDHW_TLB; i++) {
		struct vtdhw_tlb *e = &dev->tlb[i];

		if (e->valid && e->pasid == pasid && e->addr <= addr &&
		    addr <= e->last && !(access & ~e->perm))
			return e;
	}
	return NULL;
}

struct vtdhw_dma vtdhw_dma(struct vtdhw_dev *dev, u32 pasid, u64 addr,
			   unsigned int access)
{
	struct vtdhw_tlb *e;
	struct vtdhw_dma dma;
	struct vtdu_result r;
	u64 mask;

	/* A device without PASIDs sends none. */
	if (pasid != IOFD_NO_PASID)
		assert_true(dev->pasid_width);
	if (!dev->pdev.ats_enabled)
		return ask(dev, pasid, addr, access, VTDU_AT_UNTRANSLATED, &r);
	e = look_up(dev, pasid, addr, access);
	if (!e) {
		dma = ask(dev, pasid, addr, access, VTDU_AT_TRANSLATION, &r);
		if (!dma.ok)
			return dma;
		mask = (1ull << r.page_lg2) - 1;
		e = &dev->tlb[dev->next_tlb++ % VTDHW_TLB];
		*e = (struct vtdhw_tlb) {
			.valid = true,
			.pasid = pasid,
			.addr = addr & ~mask,
			.last = addr | mask,
			.phys = r.addr & ~mask,
			.perm = r.perm,
		};
	}
	/* A translated request has no PASID: its address is one of memory. */
	dma = ask(dev, IOFD_NO_PASID, e->phys + (addr - e->addr), access,
		  VTDU_AT_TRANSLATED, &r);
	return dma;
}

/* Making and taking apart */

void vtdhw_begin(void)
{
	nr_units = 0;
	nr_devs = 0;
	working = false;
	vtdhw_hardly_caches = false;
	memset(units, 0, sizeof(units));
	INIT_LIST_HEAD(&vtd_units);
	vtd_want_first_level = false;
	vtd_want_erratum_772415 = -1;
	vtd_want_scalable = true;
	boot_cpu_data = (struct cpuinfo_x86) {};
	shim_mmio_read = mmio_read;
	shim_mmio_write = mmio_write;
	shim_ioremap = map_regs;
	shim_relax_hook = relax;
}

struct vtdhw_unit *vtdhw_unit(u64 cap, u64 ecap)
{
	const struct vtdu_config config = {
		.ver = 0x60,
		.cap = cap,
		.ecap = ecap,
		.haw = HAW,
		.nr_context = vtdhw_hardly_caches ? 1 : 64,
		.nr_pasid = vtdhw_hardly_caches ? 1 : 8192,
		.nr_paging = vtdhw_hardly_caches ? 1 : 4096,
		.nr_iotlb = vtdhw_hardly_caches ? 1 : 16384,
		.nr_log = 32768,
	};
	const struct vtdu_ops ops = {
		.read = mem_read,
		.write = mem_write,
		.cmpxchg64 = mem_cmpxchg,
		.devtlb = devtlb,
	};
	struct vtdhw_unit *hw = &units[nr_units];

	assert_true(nr_units < MAX_UNITS);
	hw->coherent = ecap & ECAP_C;
	hw->mem = calloc(1, vtdu_size(&config));
	hw->u = vtdu_init(hw->mem, vtdu_size(&config), &config, &ops, hw);
	assert_non_null(hw->u);
	hw->regs = malloc(VTDU_REG_BYTES);
	hw->drhd.start = REGS_BASE + nr_units * VTDU_REG_BYTES;
	hw->drhd.last = hw->drhd.start + VTDU_REG_BYTES - 1;
	nr_units++;

	hw->unit = vtd_unit_create(&hw->drhd, nr_units - 1);
	assert_false(IS_ERR(hw->unit));
	list_add_tail(&hw->unit->link, &vtd_units);
	assert_int_equal(vtd_unit_enable(hw->unit), 0);
	mutex_lock(&hw->unit->lock);
	hw->unit->phase = VTD_RUNNING;
	mutex_unlock(&hw->unit->lock);
	vtdhw_log(hw);
	return hw;
}

static struct vtdhw_dev *make_dev(struct vtdhw_unit *hw, unsigned int devfn,
				  int alias, unsigned int pasid_width, bool ats)
{
	struct vtdhw_dev *dev = calloc(1, sizeof(*dev));

	assert_true(nr_devs < MAX_DEVS);
	dev->hw = hw;
	dev->pdev.bus = &root_bus;
	dev->pdev.devfn = devfn;
	dev->send_as = devfn;
	dev->pdev.is_pcie = true;
	if (alias >= 0) {
		__set_bit(alias, dev->aliases);
		dev->pdev.dma_alias_mask = dev->aliases;
	}
	dev->pasid_width = pasid_width;
	dev->ats = ats;
	devs[nr_devs++] = dev;
	mutex_lock(&hw->unit->lock);
	dev->vdev = vtd_dev_create(hw->unit, &dev->pdev);
	mutex_unlock(&hw->unit->lock);
	assert_false(IS_ERR(dev->vdev));
	return dev;
}

struct vtdhw_dev *vtdhw_dev(struct vtdhw_unit *hw, unsigned int devfn,
			    unsigned int pasid_width, bool ats)
{
	return make_dev(hw, devfn, -1, pasid_width, ats);
}

struct vtdhw_dev *vtdhw_alias_dev(struct vtdhw_unit *hw, unsigned int devfn,
				  unsigned int alias)
{
	return make_dev(hw, devfn, alias, 20, false);
}

void vtdhw_open(struct vtdhw_dev *dev)
{
	dev->hd = vtd_provider_ops.open(&dev->pdev.dev);
	assert_false(IS_ERR(dev->hd));
}

void vtdhw_close(struct vtdhw_dev *dev)
{
	vtd_provider_ops.close(dev->hd);
	dev->hd = NULL;
}

void vtdhw_give_to_kernel(struct vtdhw_dev *dev)
{
	mutex_lock(&dev->hw->unit->lock);
	assert_int_equal(vtd_dev_set(dev->vdev, VTD_IDENTITY, NULL), 0);
	mutex_unlock(&dev->hw->unit->lock);
}

static void end_unit(struct vtdhw_unit *hw)
{
	const struct vtdu_stats *stats = vtdu_stats(hw->u);
	unsigned int i;

	vtd_unit_disable(hw->unit);
	for (i = 0; i < VTDU_MISUSE_NR; i++)
		if (stats->misuse[i])
			fail_msg("misuse of the unit: %s", vtdu_misuse_name(i));
	assert_int_equal(atomic_read(&hw->unit->nr_dids), 0);
	list_del(&hw->unit->link);
	vtd_unit_destroy(hw->unit);
	hw->u = NULL;
	free(hw->regs);
	free(hw->mem);
}

void vtdhw_end(void)
{
	unsigned int i;

	for (i = 0; i < nr_devs; i++) {
		struct vtdhw_dev *dev = devs[i];

		if (dev->hd)
			vtdhw_close(dev);
		assert_false(dev->pdev.ats_enabled || dev->pdev.pasid_enabled);
		mutex_lock(&dev->hw->unit->lock);
		assert_int_equal(dev->vdev->nr_subdevs, 0);
		vtd_dev_set(dev->vdev, VTD_BLOCKED, NULL);
		vtd_dev_destroy(dev->vdev);
		mutex_unlock(&dev->hw->unit->lock);
		assert_int_equal(dev->pdev.dev.refs, 0);
		free(dev);
	}
	for (i = 0; i < nr_units; i++)
		end_unit(&units[i]);
	nr_units = 0;
	nr_devs = 0;
}

/* The log */

static char letter(const uint64_t *qw)
{
	unsigned int type = (qw[0] & 0xf) | (qw[0] >> 9 & 7) << 4;
	unsigned int g = qw[0] >> 4 & 3;

	switch (type) {
	case 1:
		return g == 1 ? 'C' : 'c';
	case 2:
		return g == 1 ? 'G' : g == 2 ? 'd' : 'i';
	case 3:
		return 't';
	case 5:
		return 'w';
	case 6:
		return g == 2 ? 'F' : 'f';
	case 7:
		return g == 3 ? 'P' : 'p';
	case 8:
		return 'T';
	default:
		return '?';
	}
}

static const char *read_log(struct vtdhw_unit *hw, bool waits)
{
	static char text[32769];
	struct vtdu_log entry;
	unsigned int n = 0;

	while (vtdu_log_next(hw->u, &hw->log_from, &entry)) {
		char c;

		if (entry.kind == VTDU_LOG_QI_ERROR)
			fail_msg("the unit refused %016llx %016llx",
				 (unsigned long long)entry.qw[0],
				 (unsigned long long)entry.qw[1]);
		if (entry.kind == VTDU_LOG_GCMD && entry.qw[0] & GCMD_WBF)
			c = 'b';
		else if (entry.kind == VTDU_LOG_DESC)
			c = letter(entry.qw);
		else
			continue;
		if ((waits || c != 'w') && n < sizeof(text) - 1)
			text[n++] = c;
	}
	text[n] = '\0';
	return text;
}

const char *vtdhw_log(struct vtdhw_unit *hw)
{
	return read_log(hw, true);
}

const char *vtdhw_log_brief(struct vtdhw_unit *hw)
{
	return read_log(hw, false);
}
